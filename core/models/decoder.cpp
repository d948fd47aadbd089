#include "core/models/decoder.h"

namespace loam {
namespace {

class DecoderBuilder {
 public:
  DecoderBuilder(const Model& model, const DecoderOptions& options, Decoder& out)
      : model_(model),
        c_(model.config()),
        options_(options),
        g_(out.graph),
        activations_{options.activations, int(c_.activation_block)} {}

  Value build() {
    x_ = g_.add(Embed{float(c_.embed_scale)}, {}, {weight("embed")})[0];  // (rows, dim)
    angles_ = g_.add(RopeAngles{rope_frequencies(c_, false)}, {})[0];     // (rows, head_dim): cos | sin
    local_angles_ = has_local_rope() ? g_.add(RopeAngles{rope_frequencies(c_, true)}, {})[0] : angles_;
    normed_ = g_.add(RmsNorm{eps()}, {x_}, {weight(layer_name(0, "attn_norm"))})[0];
    for (int l = 0; l < int(c_.layers); ++l) layer(l);
    g_.set_layer(-1);
    const WeightId head = model_.find("output") ? weight("output") : weights_.at("embed");
    const Value logits = g_.add(Linear{activations_, 1, 0}, {normed_}, {head})[0];  // (outputs, vocab)
    g_.output(logits);
    return logits;
  }

 private:
  float eps() const { return float(c_.norm_eps); }
  int64_t window(int l) const { return c_.windows.empty() ? 0 : c_.windows[size_t(l)]; }
  bool has_local_rope() const {
    if (c_.rope_base_local == 0) return false;
    for (int64_t w : c_.windows) {
      if (w) return true;
    }
    return false;
  }
  std::string layer_name(int l, const char* part) const { return "layers." + std::to_string(l) + "." + part; }

  WeightId weight(const std::string& name) {
    const auto it = weights_.find(name);
    return it != weights_.end() ? it->second : weights_[name] = g_.weight(model_.weight(name));
  }

  void layer(int l) {
    g_.set_layer(l);
    const Value attended = attention(l);  // (rows, heads * head_dim)
    Value a = attended;
    if (l + 1 == c_.layers) {  // from here on only the rows whose logits are asked for
      const std::vector<Value> kept = g_.add(SelectRows{}, {x_, attended});
      x_ = kept[0], a = kept[1];
    }
    const Value o = linear(a, {layer_name(l, "attn.o")})[0];
    add_and_norm(o, layer_name(l, "attn_post_norm"), layer_name(l, "ffn_norm"));
    const Gate gate = c_.activation == "silu" ? Gate::silu : Gate::gelu_tanh;
    const Value hidden =
        g_.add(GatedLinear{activations_, gate}, {normed_},
               {weight(layer_name(l, "ffn.gate")), weight(layer_name(l, "ffn.up"))})[0];  // (rows, ffn)
    const Value down = linear(hidden, {layer_name(l, "ffn.down")})[0];
    add_and_norm(down, layer_name(l, "ffn_post_norm"),
                 l + 1 < c_.layers ? layer_name(l + 1, "attn_norm") : "output_norm");
  }

  Value attention(int l) {
    const KvLayout layout{options_.kv, c_.kv_heads, c_.head_dim};
    const StateId state = g_.state(layout);
    const std::vector<Value> qkv =
        linear(normed_, {layer_name(l, "attn.q"), layer_name(l, "attn.k"), layer_name(l, "attn.v")});
    const bool norm = model_.find(layer_name(l, "attn.q_norm")).has_value();
    std::vector<WeightId> gains;
    if (norm) gains = {weight(layer_name(l, "attn.q_norm")), weight(layer_name(l, "attn.k_norm"))};
    const RopePairing pairing = c_.rope_pairing == "half" ? RopePairing::half : RopePairing::interleaved;
    const RopeKv rope{int(c_.heads), int(c_.kv_heads), int(c_.head_dim), pairing, norm, eps()};
    const Value q = g_.add(rope, {qkv[0], qkv[1], qkv[2], window(l) ? local_angles_ : angles_}, gains, state)[0];
    const double scale = c_.attention_scale != 0 ? c_.attention_scale : 1 / std::sqrt(double(c_.head_dim));
    return g_.add(Attention{int(c_.heads), int(c_.kv_heads), int(c_.head_dim), float(scale), window(l), 0.f}, {q}, {},
                  state)[0];
  }

  std::vector<Value> linear(Value x, const std::vector<std::string>& names) {
    std::vector<WeightId> weights, biases;
    uint32_t mask = 0;
    for (size_t i = 0; i < names.size(); ++i) {
      weights.push_back(weight(names[i]));
      if (!model_.find(names[i] + ".bias")) continue;
      biases.push_back(weight(names[i] + ".bias"));
      mask |= 1u << i;
    }
    weights.insert(weights.end(), biases.begin(), biases.end());
    return g_.add(Linear{activations_, int(names.size()), mask}, {x}, weights);
  }

  // x = x + y (y normed first where the model has a post norm); normed = norm(x).
  void add_and_norm(Value y, const std::string& post, const std::string& next) {
    const bool has_post = model_.find(post).has_value();
    std::vector<WeightId> gains = {weight(next)};
    if (has_post) gains.push_back(weight(post));
    const std::vector<Value> out = g_.add(RmsNorm{eps(), true, has_post}, {x_, y}, gains);
    x_ = out[0], normed_ = out[1];
  }

  const Model& model_;
  const ModelConfig& c_;
  const DecoderOptions& options_;
  Graph& g_;
  Activations activations_;
  std::map<std::string, WeightId> weights_;
  Value x_ = -1, normed_ = -1, angles_ = -1, local_angles_ = -1;
};

// Llama 3's rule: long wavelengths are stretched by the factor, short ones kept, those between blended.
double llama3_scaled(const ModelConfig& c, double frequency) {
  constexpr double kTwoPi = 6.28318530717958647692;
  const double wavelength = kTwoPi / frequency, context = double(c.rope_original_context);
  if (wavelength < context / c.rope_high_freq_factor) return frequency;
  if (wavelength > context / c.rope_low_freq_factor) return frequency / c.rope_factor;
  const double smooth =
      (context / wavelength - c.rope_low_freq_factor) / (c.rope_high_freq_factor - c.rope_low_freq_factor);
  return (1 - smooth) * frequency / c.rope_factor + smooth * frequency;
}

}  // namespace

std::vector<double> rope_frequencies(const ModelConfig& c, bool local) {
  const bool own_base = local && c.rope_base_local != 0;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < c.head_dim / 2; ++i) {
    double f = power(own_base ? c.rope_base_local : c.rope_base, -2.0 * double(i) / double(c.head_dim));
    if (!own_base && c.rope_scaling == "linear") f /= c.rope_factor;
    if (!own_base && c.rope_scaling == "llama3") f = llama3_scaled(c, f);
    frequencies.push_back(f);
  }
  return frequencies;
}

Decoder build_decoder(const Model& model, const DecoderOptions& options) {
  Decoder decoder;
  decoder.logits = DecoderBuilder(model, options, decoder).build();
  return decoder;
}

}  // namespace loam
