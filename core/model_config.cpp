#include "core/model_config.h"

#include <cmath>

namespace loam {
namespace {

void check_range(const char* key, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail(Code::bad_file, "model.%s is %lld, expected %lld to %lld", key, (long long)value, (long long)low,
         (long long)high);
}

void check_finite(const char* key, double value, double low, double high) {
  if (!(value >= low && value <= high))
    fail(Code::bad_file, "model.%s is %g, expected %g to %g", key, value, low, high);
}

template <size_t N>
void check_name(const char* key, const std::string& value, const char* const (&allowed)[N]) {
  std::string list;
  for (const char* a : allowed) {
    if (value == a) return;
    list += list.empty() ? a : std::string(", ") + a;
  }
  fail(Code::unsupported, "model.%s is '%.60s', this build knows: %s", key, value.c_str(), list.c_str());
}

}  // namespace

ModelConfig ModelConfig::read(const Metadata& from) {
  ModelConfig c;
  fields(c, [&](std::string_view key, auto& field) {
    field = from.get_or("model." + std::string(key), std::remove_reference_t<decltype(field)>(field));
  });
  c.check();
  return c;
}

void ModelConfig::check() const {
  check_range("dim", dim, 1, 1 << 20);
  check_range("layers", layers, 1, 1 << 12);
  check_range("heads", heads, 1, 1 << 14);
  check_range("kv_heads", kv_heads, 1, heads);
  check_range("head_dim", head_dim, 2, 1 << 12);
  check_range("ffn_dim", ffn_dim, 1, 1 << 22);
  check_range("vocab", vocab, 1, 1 << 24);
  check_range("context", context, 1, int64_t(1) << 32);
  check_range("activation_block", activation_block, 16, 256);
  if (heads % kv_heads)
    fail(Code::bad_file, "model.heads is %lld, expected a multiple of kv_heads, %lld", (long long)heads,
         (long long)kv_heads);
  if (head_dim % 2) fail(Code::bad_file, "model.head_dim is %lld, expected an even number", (long long)head_dim);
  if (256 % activation_block)
    fail(Code::bad_file, "model.activation_block is %lld, expected 16, 32, 64, 128 or 256",
         (long long)activation_block);
  check_finite("norm_eps", norm_eps, 0, 1);
  check_finite("embed_scale", embed_scale, 1e-6, 1e6);
  check_finite("attention_scale", attention_scale, 0, 1e6);
  check_finite("rope.base", rope_base, 1, 1e12);
  check_finite("rope.base_local", rope_base_local, 0, 1e12);
  check_finite("rope.factor", rope_factor, 1e-3, 1e6);
  check_name("activation", activation, {"silu", "gelu_tanh"});
  check_name("rope.pairing", rope_pairing, {"half", "interleaved"});
  check_name("rope.scaling", rope_scaling, {"none", "linear", "llama3"});
  if (rope_scaling == "llama3") {
    check_range("rope.original_context", rope_original_context, 1, int64_t(1) << 32);
    check_finite("rope.low_freq_factor", rope_low_freq_factor, 1e-3, 1e6);
    check_finite("rope.high_freq_factor", rope_high_freq_factor, rope_low_freq_factor * 1.0001, 1e6);
  }
  if (!windows.empty() && int64_t(windows.size()) != layers)
    fail(Code::bad_file, "model.windows has %zu values, expected one per layer, %lld", windows.size(),
         (long long)layers);
  for (int64_t w : windows) check_range("windows", w, 0, int64_t(1) << 32);
}

}  // namespace loam
