// A minimal GGUF writer for tests, random raw blocks of every ggml type that is imported, and a small synthetic Llama
// model of such blocks. The bytes are a function of the seed alone.
#pragma once
#include <array>

#include "tests/golden_models.h"

namespace loam::golden {

// A ggml type: its id, and the elements and bytes of one block. `halves` are the offsets of f16 scales in a block
// (-1: none), `bits` values for them that give weights around 0.05; `exponent` says that byte 0 is an e8m0 scale.
struct GgmlType {
  const char* name;
  uint32_t id;
  int64_t elements, bytes;
  std::array<int, 2> halves;
  std::array<uint16_t, 2> bits;
  bool exponent = false;
};

inline const std::vector<GgmlType>& ggml_types() {
  static const std::vector<GgmlType> types = {
      {"Q4_0", 2, 32, 18, {0, -1}, {0x2200, 0}},        {"Q4_1", 3, 32, 20, {0, 2}, {0x2200, 0xAC00}},
      {"Q5_0", 6, 32, 22, {0, -1}, {0x1E00, 0}},        {"Q5_1", 7, 32, 24, {0, 2}, {0x1E00, 0xAC00}},
      {"Q8_0", 8, 32, 34, {0, -1}, {0x1200, 0}},        {"Q2_K", 10, 256, 84, {80, 82}, {0x1E00, 0x2000}},
      {"Q3_K", 11, 256, 110, {108, -1}, {0x1500, 0}},   {"Q4_K", 12, 256, 144, {0, 2}, {0x0C00, 0x1800}},
      {"Q5_K", 13, 256, 176, {0, 2}, {0x0800, 0x1800}}, {"Q6_K", 14, 256, 210, {208, -1}, {0x0200, 0}},
      {"IQ4_NL", 20, 32, 18, {0, -1}, {0x1200, 0}},     {"IQ4_XS", 23, 256, 136, {0, -1}, {0x0200, 0}},
      {"MXFP4", 39, 32, 17, {-1, -1}, {0, 0}, true},    {"TQ1_0", 34, 256, 54, {52, -1}, {0x2B00, 0}},
      {"TQ2_0", 35, 256, 66, {64, -1}, {0x2B00, 0}},    {"F32", 0, 1, 4, {-1, -1}, {0, 0}},
      {"F16", 1, 1, 2, {0, -1}, {0x2A00, 0}},           {"BF16", 30, 1, 2, {0, -1}, {0x3D40, 0}},
  };
  return types;
}

inline const GgmlType& ggml_type(std::string_view name) {
  for (const auto& t : ggml_types()) {
    if (name == t.name) return t;
  }
  fail(Code::bad_argument, "no ggml type '%.*s' in the tests", int(name.size()), name.data());
}

// Golden blocks of one type (made by make_gguf_goldens.py): an [n, k] matrix as raw blocks and as f32. Zeros may differ
// in sign: the oracle multiplies by a negative scale before the zero level, or after it, as the type pleases.
struct GoldenBlocks {
  std::string name;
  uint32_t id;
  int64_t n, k;
  std::string raw;
  std::vector<float> values;
};

inline std::vector<GoldenBlocks> load_golden_blocks() {
  const std::string data = read_text(data_dir() / "gguf_blocks.bin");
  std::vector<GoldenBlocks> out;
  for (const auto& t : nlohmann::json::parse(read_text(data_dir() / "gguf_blocks.json"))) {
    const size_t raw = t["raw"], values = t["values"];
    GoldenBlocks b{t["name"], t["id"], t["shape"][0], t["shape"][1], data.substr(raw, values - raw), {}};
    b.values.resize(size_t(b.n * b.k));
    std::memcpy(b.values.data(), data.data() + values, b.values.size() * sizeof(float));
    out.push_back(std::move(b));
  }
  return out;
}

// count elements as raw blocks: random bytes, the scales near `bits` with a random sign of the first.
inline std::string random_blocks(const GgmlType& type, uint64_t seed, std::string_view name, int64_t count) {
  const Stream stream(seed, name);
  uint64_t next = 0;
  if (type.id == 0) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) {
      const float x = 0.125f * stream.uniform(next++);
      out.append(reinterpret_cast<const char*>(&x), sizeof x);
    }
    return out;
  }
  std::string out(size_t(count / type.elements * type.bytes), '\0');
  for (size_t block = 0; block < out.size(); block += size_t(type.bytes)) {
    for (int64_t i = 0; i < type.bytes; ++i) out[block + size_t(i)] = char(stream[next++] >> 56);
    for (size_t h = 0; h < 2; ++h) {
      if (type.halves[h] < 0) continue;
      const uint64_t random = stream[next++];
      const uint16_t half = uint16_t(type.bits[h] ^ (random & 0x7F) ^ (h == 0 ? random >> 32 & 0x8000 : 0));
      std::memcpy(&out[block + size_t(type.halves[h])], &half, 2);
    }
    if (type.exponent) out[block] = char(119 + (stream[next++] >> 62));
  }
  return out;
}

// Key/values and tensors are appended in order; write() puts them together. Little-endian, version 3.
class GgufWriter {
 public:
  void kv(std::string_view key, uint32_t value) { key_(key, 4), raw_(kv_, value); }
  void kv(std::string_view key, float value) { key_(key, 6), raw_(kv_, value); }
  void kv(std::string_view key, bool value) { key_(key, 7), raw_(kv_, uint8_t(value)); }
  void kv(std::string_view key, std::string_view value) { key_(key, 8), text_(kv_, value); }
  void kv(std::string_view key, const char* value) { kv(key, std::string_view(value)); }
  void kv(std::string_view key, const std::vector<std::string>& values) {
    array_(key, 8, values.size());
    for (const auto& v : values) text_(kv_, v);
  }
  void kv(std::string_view key, const std::vector<int32_t>& values) {
    array_(key, 5, values.size());
    for (const int32_t v : values) raw_(kv_, v);
  }
  void kv(std::string_view key, const std::vector<float>& values) {
    array_(key, 6, values.size());
    for (const float v : values) raw_(kv_, v);
  }
  // dims: the contiguous one (k) first, as GGUF stores them.
  void tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type, std::string_view bytes) {
    text_(infos_, name), raw_(infos_, uint32_t(dims.size()));
    for (const uint64_t d : dims) raw_(infos_, d);
    raw_(infos_, type), raw_(infos_, uint64_t(data_.size()));
    data_.append(bytes);
    data_.append((32 - data_.size() % 32) % 32, '\0');
    ++tensors_;
  }
  std::string bytes() const {
    std::string out = "GGUF";
    raw_(out, uint32_t(3)), raw_(out, tensors_), raw_(out, kvs_);
    out += kv_ + infos_;
    out.append((32 - out.size() % 32) % 32, '\0');
    return out + data_;
  }
  void write(const std::filesystem::path& path) const { write_text(path, bytes()); }

 private:
  template <class T>
  static void raw_(std::string& out, T v) {
    out.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  static void text_(std::string& out, std::string_view s) { raw_(out, uint64_t(s.size())), out.append(s); }
  void key_(std::string_view key, uint32_t type) { text_(kv_, key), raw_(kv_, type), ++kvs_; }
  void array_(std::string_view key, uint32_t type, size_t count) {
    key_(key, 9), raw_(kv_, type), raw_(kv_, uint64_t(count));
  }

  std::string kv_, infos_, data_;
  uint64_t kvs_ = 0, tensors_ = 0;
};

// The tiny byte-level vocabulary of tests/data/tiny_vocab (307 tokens, three of them control tokens) as GGUF keys.
inline void add_tiny_vocab(GgufWriter& w) {
  const auto folder = data_dir() / "tiny_vocab";
  const auto json = nlohmann::json::parse(read_text(folder / "tokenizer.json"));
  const auto config = nlohmann::json::parse(read_text(folder / "tokenizer_config.json"));
  const auto& vocab = json["model"]["vocab"];
  std::vector<std::string> tokens(vocab.size()), merges;
  for (const auto& [text, id] : vocab.items()) tokens[id.get<size_t>()] = text;
  for (const auto& m : json["model"]["merges"])
    merges.push_back(m[0].get<std::string>() + " " + m[1].get<std::string>());
  std::vector<int32_t> kinds(tokens.size(), 1);
  for (const auto& t : json["added_tokens"]) kinds[t["id"].get<size_t>()] = 3;
  w.kv("tokenizer.ggml.model", "gpt2"), w.kv("tokenizer.ggml.pre", "smollm");
  w.kv("tokenizer.ggml.tokens", tokens), w.kv("tokenizer.ggml.token_type", kinds),
      w.kv("tokenizer.ggml.merges", merges);
  w.kv("tokenizer.ggml.bos_token_id", 0u), w.kv("tokenizer.ggml.eos_token_id", 2u);
  w.kv("tokenizer.ggml.add_bos_token", false);
  w.kv("tokenizer.chat_template", config["chat_template"].get<std::string>());
}

// A synthetic Llama model: hidden 256, ffn 512, 2 layers, 4 heads over 2 kv heads, every matrix in `type`.
inline GgufWriter synthetic_llama(std::string_view type_name, uint64_t seed) {
  constexpr uint64_t kHidden = 256, kFfn = 512, kKv = 128, kVocab = 307;
  const GgmlType& type = ggml_type(type_name);
  GgufWriter w;
  w.kv("general.architecture", "llama"), w.kv("general.name", "synthetic " + std::string(type_name));
  w.kv("llama.block_count", 2u), w.kv("llama.context_length", 512u), w.kv("llama.vocab_size", uint32_t(kVocab));
  w.kv("llama.embedding_length", uint32_t(kHidden)), w.kv("llama.feed_forward_length", uint32_t(kFfn));
  w.kv("llama.attention.head_count", 4u), w.kv("llama.attention.head_count_kv", 2u);
  w.kv("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  w.kv("llama.rope.dimension_count", 64u), w.kv("llama.rope.freq_base", 10000.0f);
  add_tiny_vocab(w);
  const auto matrix = [&](const std::string& name, uint64_t n, uint64_t k) {
    w.tensor(name, {k, n}, type.id, random_blocks(type, seed, name, int64_t(n * k)));
  };
  const auto gain = [&](const std::string& name) {
    const std::vector<float> g = weights(seed, name + "_norm", kHidden);
    w.tensor(name, {kHidden}, 0, {reinterpret_cast<const char*>(g.data()), g.size() * sizeof(float)});
  };
  matrix("token_embd.weight", kVocab, kHidden), matrix("output.weight", kVocab, kHidden);
  gain("output_norm.weight");
  for (int i = 0; i < 2; ++i) {
    const std::string p = "blk." + std::to_string(i) + ".";
    gain(p + "attn_norm.weight"), gain(p + "ffn_norm.weight");
    matrix(p + "attn_q.weight", kHidden, kHidden), matrix(p + "attn_k.weight", kKv, kHidden);
    matrix(p + "attn_v.weight", kKv, kHidden), matrix(p + "attn_output.weight", kHidden, kHidden);
    matrix(p + "ffn_gate.weight", kFfn, kHidden), matrix(p + "ffn_up.weight", kFfn, kHidden);
    matrix(p + "ffn_down.weight", kHidden, kFfn);
  }
  return w;
}

}  // namespace loam::golden
