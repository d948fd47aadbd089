#include "core/model.h"

#include <set>

namespace loam {
namespace {

// Every tensor that a configuration may have, with its shape; optional ones are used where they are present.
struct Expected {
  std::string name;
  int64_t n, k;
  bool vector, optional;
};

std::vector<Expected> expected_tensors(const ModelConfig& c) {
  std::vector<Expected> all = {{"embed", c.vocab, c.dim, false, false},
                               {"output", c.vocab, c.dim, false, true},
                               {"output_norm", c.dim, 0, true, false}};
  const int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  for (int64_t l = 0; l < c.layers; ++l) {
    const std::string p = "layers." + std::to_string(l) + ".";
    const Expected layer[] = {
        {p + "attn_norm", c.dim, 0, true, false},       {p + "attn.q", q, c.dim, false, false},
        {p + "attn.k", kv, c.dim, false, false},        {p + "attn.v", kv, c.dim, false, false},
        {p + "attn.o", c.dim, q, false, false},         {p + "attn.q.bias", q, 0, true, true},
        {p + "attn.k.bias", kv, 0, true, true},         {p + "attn.v.bias", kv, 0, true, true},
        {p + "attn.o.bias", c.dim, 0, true, true},      {p + "attn.q_norm", c.head_dim, 0, true, true},
        {p + "attn.k_norm", c.head_dim, 0, true, true}, {p + "attn_post_norm", c.dim, 0, true, true},
        {p + "ffn_norm", c.dim, 0, true, false},        {p + "ffn.gate", c.ffn_dim, c.dim, false, false},
        {p + "ffn.up", c.ffn_dim, c.dim, false, false}, {p + "ffn.down", c.dim, c.ffn_dim, false, false},
        {p + "ffn_post_norm", c.dim, 0, true, true}};
    all.insert(all.end(), std::begin(layer), std::end(layer));
  }
  return all;
}

void check_tensor(const StoredTensor& t, const Expected& e) {
  const int64_t n = e.vector ? 1 : e.n, k = e.vector ? e.n : e.k;
  if (t.vector != e.vector || t.experts != 1 || t.n != n || t.k != k) {
    fail(Code::bad_file, "tensor %s is a %s of %lld x %lld, expected a %s of %lld x %lld", t.name.c_str(),
         t.vector ? "vector" : "matrix", (long long)t.n, (long long)t.k, e.vector ? "vector" : "matrix", (long long)n,
         (long long)k);
  }
  const uint64_t bytes = e.vector ? uint64_t(e.n) * 4 : matrix_bytes(*t.type, t.n, t.k);
  if (t.bytes.size() != bytes || reinterpret_cast<uintptr_t>(t.bytes.data()) % 64)
    fail(Code::bad_file, "tensor %s has %zu bytes, expected %llu, aligned to 64", t.name.c_str(), t.bytes.size(),
         (unsigned long long)bytes);
}

}  // namespace

Model::Model(std::shared_ptr<const ModelSource> source)
    : source_(std::move(source)), config_(ModelConfig::read(source_->metadata())) {
  check_tensors();
}

void Model::check_tensors() const {
  std::set<std::string_view> known;
  const std::vector<Expected> expected = expected_tensors(config_);
  for (const Expected& e : expected) {
    known.insert(e.name);
    const StoredTensor* t = source_->find(e.name);
    if (t)
      check_tensor(*t, e);
    else if (!e.optional)
      fail(Code::bad_file, "tensor %s is missing", e.name.c_str());
  }
  for (const StoredTensor& t : source_->tensors()) {
    if (!known.count(t.name))
      fail(Code::unsupported, "tensor %s is not known to this version: a newer Loam may read the file", t.name.c_str());
  }
}

std::optional<Weight> Model::find(std::string_view name) const {
  const StoredTensor* t = source_->find(name);
  if (!t) return std::nullopt;
  if (t->vector) return Weight{t->type, t->k, 0, true, t->bytes.data()};
  return Weight{t->type, t->n, t->k, false, t->bytes.data()};
}

Weight Model::weight(std::string_view name) const {
  const std::optional<Weight> w = find(name);
  if (!w) fail(Code::bad_file, "tensor %.*s is missing", int(name.size()), name.data());
  return *w;
}

size_t Model::weight_bytes() const {
  size_t bytes = 0;
  for (const StoredTensor& t : source_->tensors()) bytes += t.bytes.size();
  return bytes;
}

}  // namespace loam
