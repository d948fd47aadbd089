// Llama: grouped-query attention, SiLU gate, rotary scalings linear and llama3.
#include <algorithm>
#include <cmath>

#include "formats/architectures/common.h"

namespace loam {
namespace {

constexpr std::string_view kIgnored[] = {
    "rope_freqs.weight",                             // read as "rope_factors", below
    "model.layers.#.self_attn.rotary_emb.inv_freq",  // of old files; follows from the configuration
};

// The factor that llama3's scaling divides frequency i by.
double llama3_factor(const ModelConfig& c, size_t i) {
  const double wavelength = 2 * 3.14159265358979323846 * std::pow(c.rope_base, 2.0 * double(i) / double(c.head_dim));
  const double turns = double(c.rope_original_context) / wavelength;
  if (turns > c.rope_high_freq_factor) return 1;
  if (turns < c.rope_low_freq_factor) return c.rope_factor;
  const double smooth = (turns - c.rope_low_freq_factor) / (c.rope_high_freq_factor - c.rope_low_freq_factor);
  return 1 / ((1 - smooth) / c.rope_factor + smooth);
}

// GGUF stores llama3's scaling as one factor per frequency; the parameters are found again, or the file is refused.
void scaling_from_factors(SourceConfig& source, ModelConfig& c) {
  const auto factors = source.numbers("rope_factors");
  if (factors.empty()) return;
  if (c.rope_scaling != "none" || int64_t(factors.size()) != c.head_dim / 2)
    source.unsupported("rope_factors", "expected " + std::to_string(c.head_dim / 2) + " values and no other scaling");
  c.rope_factor = *std::max_element(factors.begin(), factors.end());
  for (int64_t context = 64; context <= 1 << 20; context *= 2) {
    c.rope_scaling = "llama3", c.rope_low_freq_factor = 1, c.rope_high_freq_factor = 4;
    c.rope_original_context = context;
    bool same = true;
    for (size_t i = 0; i < factors.size(); ++i) same &= std::fabs(factors[i] / llama3_factor(c, i) - 1) < 1e-5;
    if (same) return;
  }
  source.unsupported("rope_factors", "these are not the factors of llama3's rotary scaling");
}

ModelConfig from_gguf(SourceConfig& source) {
  ModelConfig c = gguf_decoder(source);
  c.rope_pairing = "interleaved";  // GGUF stores the rows of q and k in that order
  scaling_from_factors(source, c);
  return c;
}

ModelConfig from_hugging_face(SourceConfig& source) {
  ModelConfig c = hugging_face_decoder(source);
  c.rope_base = source.number("rope_parameters.rope_theta", source.number("rope_theta", 10000));
  hugging_face_rope_scaling(source, source.has("rope_parameters.rope_type") ? "rope_parameters." : "rope_scaling.", c);
  c.activation = hugging_face_activation(source, "hidden_act", "silu");
  return c;
}

}  // namespace

const Architecture kLlama = {.gguf = "llama",
                             .model_type = "llama",
                             .class_name = "LlamaForCausalLM",
                             .from_gguf = from_gguf,
                             .from_hugging_face = from_hugging_face,
                             .ignored = kIgnored};

}  // namespace loam
