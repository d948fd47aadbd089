#include "tools/bench/synthetic.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "core/host_memory.h"
#include "core/model_config.h"
#include "core/types/codec.h"
#include "core/types/record.h"

namespace loam {
namespace {

struct Shape {
  const char* name;
  int64_t layers, dim, ffn, heads, kv_heads, head_dim, vocab;
  bool tied;  // the head is the embedding
};
constexpr Shape kShapes[] = {
    {"llama-1b", 16, 2048, 8192, 32, 8, 64, 128256, true},
    {"llama-8b", 32, 4096, 14336, 32, 8, 128, 128256, false},
    {"qwen-1.5b", 28, 1536, 8960, 12, 2, 128, 151936, true},
    {"smollm2-135m", 30, 576, 1536, 9, 3, 64, 49152, true},
    {"tiny", 2, 64, 96, 2, 1, 32, 96, true},  // for tests
};

const Shape& find_shape(const std::string& name) {
  std::string names;
  for (const Shape& s : kShapes) {
    if (name == s.name) return s;
    names += (names.empty() ? "" : ", ") + std::string(s.name);
  }
  fail(Code::bad_argument, "no synthetic model '%.40s'; there are %s", name.c_str(), names.c_str());
}

const TypeInfo& type_of(const std::string& name) {
  const TypeInfo* type = find_type(name);
  if (!type) fail(Code::bad_argument, "no type '%.40s': loam convert --help and the README name them", name.c_str());
  return *type;
}

// Numbers in [-1, 1), the same in every run.
class Random {
 public:
  uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }
  float value() { return float(next()) / float(1u << 30) - 1; }

 private:
  uint64_t state_ = 1;
};

class Synthetic final : public ModelSource {
 public:
  Synthetic(const Shape& s, const TypeInfo& type, int64_t activation_block) : type_(type) {
    ModelConfig c;
    c.architecture = "llama", c.name = "synthetic " + std::string(s.name) + " " + std::string(type.name);
    c.dim = s.dim, c.layers = s.layers, c.ffn_dim = s.ffn, c.vocab = s.vocab, c.context = int64_t(1) << 24;
    c.heads = s.heads, c.kv_heads = s.kv_heads, c.head_dim = s.head_dim;
    c.activation_block = activation_block;
    c.check();
    c.write(meta_);
    matrix("embed", s.vocab, s.dim), vector("output_norm", s.dim);
    if (!s.tied) matrix("output", s.vocab, s.dim);
    for (int64_t l = 0; l < s.layers; ++l) layer(s, "layers." + std::to_string(l) + ".");
    std::sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  }

  const Metadata& metadata() const override { return meta_; }
  std::span<const StoredTensor> tensors() const override { return tensors_; }

 private:
  void layer(const Shape& s, const std::string& p) {
    const int64_t q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
    vector(p + "attn_norm", s.dim), vector(p + "ffn_norm", s.dim);
    matrix(p + "attn.q", q, s.dim), matrix(p + "attn.k", kv, s.dim), matrix(p + "attn.v", kv, s.dim);
    matrix(p + "attn.o", s.dim, q);
    matrix(p + "ffn.gate", s.ffn, s.dim), matrix(p + "ffn.up", s.ffn, s.dim), matrix(p + "ffn.down", s.dim, s.ffn);
  }

  std::byte* memory(size_t bytes) {
    memory_.push_back(std::make_unique<HostBuffer>(bytes));
    madvise(memory_.back()->host(), bytes, MADV_HUGEPAGE);  // as large folios of the page cache are
    return memory_.back()->host();
  }

  void vector(const std::string& name, int64_t k) {
    std::byte* data = memory(size_t(k) * sizeof(float));
    std::fill_n(reinterpret_cast<float*>(data), k, 1.f);
    tensors_.push_back({name, find_type("f32"), 1, 1, k, true, {data, size_t(k) * sizeof(float)}});
  }

  // A few row blocks are really rounded; the rest are copies of them: no kernel looks at what codes say.
  void matrix(const std::string& name, int64_t n, int64_t k) {
    constexpr size_t kSamples = 4;
    const size_t record = size_t(row_block_bytes(type_, k)), bytes = size_t(matrix_bytes(type_, n, k));
    std::byte* data = memory(bytes);
    const size_t blocks = size_t(row_blocks(n)), samples = std::min(blocks, kSamples);
    std::vector<float> rows(size_t(kTileRows * k));
    const float size = 1 / std::sqrt(float(k));
    for (size_t b = 0; b < samples; ++b) {
      for (float& v : rows) v = random_.value() * size;
      quantize_row_block(type_, k, rows.data(), int(std::min(kTileRows, n - int64_t(b) * kTileRows)),
                         data + b * record);
    }
    for (size_t b = samples; b < blocks; ++b)
      std::memcpy(data + b * record, data + random_.next() % samples * record, record);
    tensors_.push_back({name, &type_, 1, n, k, false, {data, bytes}});
  }

  const TypeInfo& type_;
  Metadata meta_;
  Random random_;
  std::vector<StoredTensor> tensors_;
  std::vector<std::unique_ptr<HostBuffer>> memory_;
};

}  // namespace

std::shared_ptr<const ModelSource> make_synthetic(const std::string& name, const std::string& type,
                                                  int64_t activation_block) {
  return std::make_shared<Synthetic>(find_shape(name), type_of(type), activation_block);
}

}  // namespace loam
