// A GGUF file as a source: every tensor in its own type.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "formats/architectures.h"
#include "formats/byte_reader.h"
#include "formats/gguf/gguf_file.h"
#include "formats/gguf/import_types.h"
#include "tools/convert/source.h"
#include "tools/convert/tokenizer_source.h"

namespace loam {
namespace {

class GgufSource : public Source {
 public:
  GgufSource(const std::string& path, const std::string& pre) : file_(path) {
    kind = "gguf";
    if (file_.metadata().get_or("split.count", int64_t(1)) > 1)
      fail(Code::unsupported, "%s: one part of a split model; join the parts first (llama-gguf-split --merge)",
           path.c_str());
    const Architecture& architecture = find_architecture(file_.metadata(), path);
    read_config(architecture);
    config.check();
    map_all(architecture);
    read_tokenizer(file_, *this, pre);
  }

  std::vector<File> files() const override {
    return {{std::filesystem::path(file_.path()).filename().string(), file_.bytes()}};
  }

  void read_rows(size_t tensor, int64_t first, int64_t count, float* out) const override {
    const GgufTensor& from = *from_[tensor];
    const int64_t k = tensors[tensor].k;
    for (int64_t i = 0; i < count; ++i) import_row_f32(*from.type, k, row(tensor, first + i), out + i * k);
  }

  void read_record(size_t tensor, int64_t block, std::byte* record) const override {
    const GgufTensor& from = *from_[tensor];
    const SourceTensor& t = tensors[tensor];
    const int64_t first = block * kTileRows, count = std::min(kTileRows, t.n - first);
    if (!import_row_block(*from.type, t.k, row(tensor, first), int(count), record))
      fail(Code::bad_file, "%s: tensor '%s' holds infinity or NaN in rows %lld to %lld; the file is damaged",
           file_.path().c_str(), from.name.c_str(), (long long)first, (long long)(first + count - 1));
  }

 private:
  const std::byte* row(size_t tensor, int64_t at) const {
    const GgufTensor& from = *from_[tensor];
    return from.bytes.data() + at * (tensors[tensor].k / from.type->block_values * from.type->block_bytes);
  }

  void read_config(const Architecture& architecture) {
    SourceConfig keys = SourceConfig::from_gguf(file_.metadata(), std::string(architecture.gguf) + ".", file_.path());
    if (const GgufTensor* factors = file_.find("rope_freqs.weight")) keys.set("rope_factors", rope_factors(*factors));
    config = architecture.from_gguf(keys);
    keys.finish();
    config.architecture = architecture.gguf;
    config.name = file_.metadata().get_or("general.name", std::string());
    const GgufTensor* embed = file_.find("token_embd.weight");
    if (config.vocab == 0 && embed) config.vocab = embed->dim(1);
  }

  std::vector<double> rope_factors(const GgufTensor& t) const {
    if (t.type->name != "F32" || t.dims.size() != 1 || t.dim(0) > 4096)
      fail(Code::unsupported, "%s: tensor 'rope_freqs.weight' is not a short list of F32", file_.path().c_str());
    std::vector<float> values(size_t(t.dim(0)));
    std::memcpy(values.data(), t.bytes.data(), values.size() * sizeof(float));
    return {values.begin(), values.end()};
  }

  void map_all(const Architecture& architecture) {
    std::vector<FoundTensor> found;
    for (const GgufTensor& t : file_.tensors()) found.push_back({t.name, {t.dims.rbegin(), t.dims.rend()}});
    const GgufTensor *embed = file_.find("token_embd.weight"), *output = file_.find("output.weight");
    const bool tied = embed && output && embed->type == output->type && same_bytes(*embed, *output);
    for (const MappedTensor& m : map_tensors(architecture, config, Naming::gguf, found, file_.path())) {
      if (tied && m.name == "output") continue;
      const GgufTensor& from = file_.tensors()[m.found];
      const TypeInfo& exact = import_type_of(*from.type, from.name);
      const bool quantized = exact.family != Family::plain;
      if (m.vector && quantized)
        fail(Code::unsupported, "%s: tensor '%s' is a vector of the quantized type %s", file_.path().c_str(),
             printable(from.name).c_str(), std::string(from.type->name).c_str());
      tensors.push_back({m.name, from.name, from.type->name, m.n, m.k, m.vector, &exact, quantized});
      from_.push_back(&from);
    }
  }

  static bool same_bytes(const GgufTensor& a, const GgufTensor& b) {
    return a.bytes.size() == b.bytes.size() && std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
  }

  GgufFile file_;
  std::vector<const GgufTensor*> from_;  // of tensors, same order
};

}  // namespace

std::unique_ptr<Source> open_gguf_source(const std::string& path, const std::string& pre) {
  return std::make_unique<GgufSource>(path, pre);
}

}  // namespace loam
