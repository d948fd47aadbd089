// Models made in memory: a ModelSource whose tensors are rounded to any type from float values.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/types/codec.h"
#include "core/types/record.h"
#include "tests/golden_weights.h"

namespace loam::tests {

class MemoryModel final : public ModelSource {
 public:
  Metadata meta;

  // A matrix [n, k] rounded to type, or (n == 1 and vector) k floats.
  void add(std::string name, const TypeInfo& type, int64_t n, int64_t k, bool vector,
           const std::vector<float>& values) {
    const size_t bytes = vector ? size_t(k) * 4 : size_t(matrix_bytes(type, n, k));
    std::byte* data = static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
    memory_.emplace_back(data, &std::free);
    if (vector) {
      std::copy_n(reinterpret_cast<const std::byte*>(values.data()), bytes, data);
    } else {
      for (int64_t row = 0; row < n; row += kTileRows)
        quantize_row_block(type, k, &values[size_t(row * k)], int(std::min(kTileRows, n - row)),
                           data + uint64_t(row / kTileRows) * row_block_bytes(type, k));
    }
    tensors_.push_back({std::move(name), &type, 1, vector ? 1 : n, k, vector, {data, bytes}});
    std::sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  }

  const Metadata& metadata() const override { return meta; }
  std::span<const StoredTensor> tensors() const override { return tensors_; }

 private:
  std::vector<StoredTensor> tensors_;
  std::vector<std::unique_ptr<std::byte, decltype(&std::free)>> memory_;
};

// A random decoder of this configuration; type_of(name) chooses the type of each matrix.
inline std::shared_ptr<MemoryModel> random_model(const ModelConfig& c, uint64_t seed,
                                                 const std::function<std::string(const std::string&)>& type_of,
                                                 bool norms = false) {
  auto m = std::make_shared<MemoryModel>();
  c.write(m->meta);
  const auto add = [&](const std::string& name, int64_t n, int64_t k) {
    std::vector<float> w = golden::weights(seed, name, size_t(n * k));
    m->add(name, *find_type(n == 1 ? "f32" : type_of(name)), n, k, n == 1, w);
  };
  const int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  add("embed", c.vocab, c.dim), add("output_norm", 1, c.dim);
  for (int64_t l = 0; l < c.layers; ++l) {
    const std::string p = "layers." + std::to_string(l) + ".";
    add(p + "attn_norm", 1, c.dim), add(p + "ffn_norm", 1, c.dim);
    add(p + "attn.q", q, c.dim), add(p + "attn.k", kv, c.dim), add(p + "attn.v", kv, c.dim),
        add(p + "attn.o", c.dim, q);
    add(p + "ffn.gate", c.ffn_dim, c.dim), add(p + "ffn.up", c.ffn_dim, c.dim), add(p + "ffn.down", c.dim, c.ffn_dim);
    if (!norms) continue;
    add(p + "attn.q_norm", 1, c.head_dim), add(p + "attn.k_norm", 1, c.head_dim);
    add(p + "attn_post_norm", 1, c.dim), add(p + "ffn_post_norm", 1, c.dim);
    for (const char* b : {"attn.q.bias", "attn.k.bias", "attn.v.bias"}) add(p + b, 1, b[5] == 'q' ? q : kv);
  }
  return m;
}

}  // namespace loam::tests
