// A Hugging Face folder as a source: config.json, safetensors, and the tokenizer's files.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "formats/architectures.h"
#include "formats/row_block.h"
#include "formats/safetensors/safetensors.h"
#include "tools/cli/files.h"
#include "tools/convert/source.h"
#include "tools/convert/tokenizer_source.h"

namespace loam {
namespace {

namespace fs = std::filesystem;

const TypeInfo* exact_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::F32: return find_type("f32");
    case Dtype::F16: return find_type("f16");
    case Dtype::BF16: return find_type("bf16");
    default: return nullptr;
  }
}

class HuggingFaceSource : public Source {
 public:
  HuggingFaceSource(const std::string& weights, const std::string& folder, const std::string& pre)
      : folder_(folder), file_(weights), where_((fs::path(folder) / "config.json").string()) {
    kind = "hugging_face";
    verbatim["config.json"] = read_text_file(where_);
    SourceConfig keys = SourceConfig::from_json(verbatim["config.json"], where_);
    const Architecture& architecture = find_architecture(keys);
    config = architecture.from_hugging_face(keys);
    const bool tied = keys.flag("tie_word_embeddings", architecture.tied_otherwise);
    keys.finish();
    config.architecture = architecture.gguf;
    config.name = fs::path(folder_).filename().string();
    config.check();
    map_all(architecture, tied);
    read_tokenizer(folder_, *this, pre);
  }

  std::vector<File> files() const override {
    std::vector<File> out;
    for (const MappedFile& f : file_.files()) out.push_back({fs::path(f.path()).filename().string(), f.bytes()});
    const std::string& text = verbatim.at("config.json");
    out.push_back({"config.json", std::as_bytes(std::span(text.data(), text.size()))});
    return out;
  }

  void read_rows(size_t tensor, int64_t first, int64_t count, float* out) const override {
    const size_t size = size_t(count * tensors[tensor].k);
    loam::read_rows(*from_[tensor], first, count, {out, size});
    if (offsets_[tensor] == 0) return;  // -0 stays -0
    for (size_t i = 0; i < size; ++i) out[i] += offsets_[tensor];
  }

  void read_record(size_t tensor, int64_t block, std::byte* record) const override {
    const SourceTensor& t = tensors[tensor];
    const int64_t first = block * kTileRows, count = std::min(kTileRows, t.n - first);
    std::vector<float> rows(size_t(count * t.k));
    read_rows(tensor, first, count, rows.data());
    for (const float x : rows) {
      if (!std::isfinite(x))
        fail(Code::bad_file, "%s: tensor '%s' holds infinity or NaN in rows %lld to %lld", folder_.c_str(),
             t.source_name.c_str(), (long long)first, (long long)(first + count - 1));
    }
    const size_t stride = size_t(t.k) * dtype_bytes(from_[tensor]->dtype);
    pack_plain_block(*t.exact, t.k, from_[tensor]->bytes.data() + size_t(first) * stride, stride, int(count), record);
  }

 private:
  void map_all(const Architecture& architecture, bool tied) {
    const SafeTensor *embed = file_.find("model.embed_tokens.weight"), *output = file_.find("lm_head.weight");
    const bool same = embed && output && embed->dtype == output->dtype && same_bytes(*embed, *output);
    if (tied && output && !same)
      fail(Code::bad_file, "%s: says tie_word_embeddings, but lm_head.weight is not the embedding", where_.c_str());
    if (!tied && !output)
      fail(Code::bad_file, "%s: the tensor lm_head.weight is missing (tie_word_embeddings is false)", folder_.c_str());
    std::vector<FoundTensor> found;
    for (const SafeTensor& t : file_.tensors()) found.push_back({t.name, t.shape});
    for (const MappedTensor& m : map_tensors(architecture, config, Naming::hugging_face, found, folder_)) {
      if (same && m.name == "output") continue;
      const SafeTensor& from = file_.tensors()[m.found];
      check_dtype(from);
      tensors.push_back({m.name, from.name, dtype_name(from.dtype), m.n, m.k, m.vector, exact_type(from.dtype), false});
      from_.push_back(&from);
      offsets_.push_back(m.offset);
    }
  }

  void check_dtype(const SafeTensor& t) const {
    const bool real =
        exact_type(t.dtype) || t.dtype == Dtype::F64 || t.dtype == Dtype::F8_E4M3 || t.dtype == Dtype::F8_E5M2;
    if (!real)
      fail(Code::unsupported, "%s: tensor '%s' has the type %s; take the original, unquantized checkpoint",
           folder_.c_str(), t.name.c_str(), std::string(dtype_name(t.dtype)).c_str());
  }

  static bool same_bytes(const SafeTensor& a, const SafeTensor& b) {
    return a.bytes.size() == b.bytes.size() && std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
  }

  std::string folder_;
  SafetensorsFile file_;
  std::string where_;
  std::vector<const SafeTensor*> from_;  // of tensors, same order
  std::vector<float> offsets_;           // added to the values
};

}  // namespace

std::unique_ptr<Source> open_hugging_face_source(const std::string& path, const std::string& pre) {
  std::error_code error;
  fs::path folder = fs::is_directory(path, error) ? fs::path(path) : fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  folder = fs::absolute(folder).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();  // "x/" is "x"
  return std::make_unique<HuggingFaceSource>(fs::is_directory(path, error) ? folder.string() : path, folder.string(),
                                             pre);
}

}  // namespace loam
