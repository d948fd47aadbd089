// The golden models as GGUF files with f32 tensors, as the usual converter writes them: rows of q and k in the order of
// interleaved rotary pairs (llama), llama3's scaling as a tensor of factors, gains as they are applied.
#pragma once
#include <cmath>

#include "tests/golden_gguf.h"

namespace loam::golden {

// GGUF has no key for Gemma's score scale and takes 1 / sqrt(head_dim).
inline bool has_gguf_form(const Model& m) { return m.name != "gemma3"; }

inline std::string gguf_name(const std::string& name) {
  static const std::map<std::string, std::string> parts = {{"attn_norm", "attn_norm"},
                                                           {"attn.q", "attn_q"},
                                                           {"attn.k", "attn_k"},
                                                           {"attn.v", "attn_v"},
                                                           {"attn.o", "attn_output"},
                                                           {"attn.q_norm", "attn_q_norm"},
                                                           {"attn.k_norm", "attn_k_norm"},
                                                           {"ffn_norm", "ffn_norm"},
                                                           {"attn_post_norm", "post_attention_norm"},
                                                           {"ffn.gate", "ffn_gate"},
                                                           {"ffn.up", "ffn_up"},
                                                           {"ffn.down", "ffn_down"},
                                                           {"ffn_post_norm", "post_ffw_norm"}};
  if (name == "embed") return "token_embd.weight";
  if (!name.starts_with("layers.")) return name + ".weight";
  const size_t dot = name.find('.', 7);
  std::string part = name.substr(dot + 1);
  const bool bias = part.ends_with(".bias");
  if (bias) part.resize(part.size() - 5);
  return "blk." + name.substr(7, dot - 7) + "." + parts.at(part) + (bias ? ".bias" : ".weight");
}

// Rows of each head from halves (i, i + d/2) to neighbours (2i, 2i + 1).
inline std::vector<float> interleave_rows(const std::vector<float>& w, int64_t n, int64_t k, int64_t head_dim) {
  std::vector<float> out(w.size());
  for (int64_t row = 0; row < n; ++row) {
    const int64_t head = row / head_dim, i = row % head_dim / 2, half = row % 2;
    const int64_t from = head * head_dim + half * (head_dim / 2) + i;
    std::copy_n(w.begin() + from * k, k, out.begin() + row * k);
  }
  return out;
}

// What each frequency is divided by under llama3's scaling.
inline std::vector<float> llama3_factors(const nlohmann::json& s, double theta, int64_t head_dim) {
  std::vector<float> out;
  const double factor = s["factor"], low = s["low_freq_factor"], high = s["high_freq_factor"];
  const double context = s["original_max_position_embeddings"];
  for (int64_t i = 0; i < head_dim; i += 2) {
    const double turns = context / (2 * std::acos(-1.0) * std::pow(theta, double(i) / double(head_dim)));
    const double smooth = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    out.push_back(float(1 / ((1 - smooth) / factor + smooth)));
  }
  return out;
}

inline void add_hyperparameters(GgufWriter& w, const std::string& arch, const nlohmann::json& c, int64_t head_dim) {
  const auto whole = [&](const char* key, const char* from) { w.kv(arch + key, c[from].get<uint32_t>()); };
  w.kv("general.architecture", arch), w.kv("general.name", "golden");
  whole(".block_count", "num_hidden_layers"), whole(".context_length", "max_position_embeddings");
  whole(".embedding_length", "hidden_size"), whole(".feed_forward_length", "intermediate_size");
  whole(".attention.head_count", "num_attention_heads"), whole(".attention.head_count_kv", "num_key_value_heads");
  whole(".vocab_size", "vocab_size");
  w.kv(arch + ".attention.layer_norm_rms_epsilon", c["rms_norm_eps"].get<float>());
  w.kv(arch + ".attention.key_length", uint32_t(head_dim)), w.kv(arch + ".attention.value_length", uint32_t(head_dim));
  w.kv(arch + ".rope.dimension_count", uint32_t(head_dim));
  w.kv(arch + ".rope.freq_base", c["rope_theta"].get<float>());
  if (c.contains("sliding_window")) whole(".attention.sliding_window", "sliding_window");
  if (c.contains("rope_scaling") && c["rope_scaling"]["rope_type"] == "linear") {
    w.kv(arch + ".rope.scaling.type", "linear");
    w.kv(arch + ".rope.scaling.factor", c["rope_scaling"]["factor"].get<float>());
  }
}

inline GgufWriter gguf_of(const Model& m) {
  const auto c = nlohmann::json::parse(m.config_old);
  const std::string type = c["model_type"], arch = type == "gemma3_text" ? "gemma3" : type;
  const int64_t head_dim = c.contains("head_dim")
                               ? c["head_dim"].get<int64_t>()
                               : c["hidden_size"].get<int64_t>() / c["num_attention_heads"].get<int64_t>();
  GgufWriter w;
  add_hyperparameters(w, arch, c, head_dim);
  add_tiny_vocab(w);
  const auto add = [&](const std::string& name, const std::vector<uint64_t>& dims, const std::vector<float>& x) {
    w.tensor(name, dims, 0, {reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float)});
  };
  if (c.contains("rope_scaling") && c["rope_scaling"]["rope_type"] == "llama3") {
    add("rope_freqs.weight", {uint64_t(head_dim / 2)}, llama3_factors(c["rope_scaling"], c["rope_theta"], head_dim));
  }
  for (const Tensor& t : m.tensors) {
    std::vector<float> x = m.weights(t);
    const bool rotated = t.name.ends_with(".attn.q") || t.name.ends_with(".attn.k");
    if (arch == "llama" && rotated) x = interleave_rows(x, t.n, t.k, head_dim);
    add(gguf_name(t.name), t.vector ? std::vector<uint64_t>{uint64_t(t.k)} : std::vector{uint64_t(t.k), uint64_t(t.n)},
        x);
  }
  return w;
}

}  // namespace loam::golden
