#include "formats/architectures/common.h"

#include <algorithm>

namespace loam {
namespace {

// Sizes that are divided or multiplied before ModelConfig::check sees them.
void check_sizes(const SourceConfig& source, const ModelConfig& c) {
  const auto good = [](int64_t x) { return x > 0 && x <= int64_t(1) << 24; };
  if (!good(c.dim) || !good(c.layers) || c.layers > 4096 || !good(c.heads) || !good(c.kv_heads) || !good(c.ffn_dim))
    fail(Code::bad_file, "%s: sizes make no sense: width %lld, %lld layers, %lld heads, %lld kv heads, ffn %lld",
         source.where().c_str(), (long long)c.dim, (long long)c.layers, (long long)c.heads, (long long)c.kv_heads,
         (long long)c.ffn_dim);
}

void gguf_rope_scaling(SourceConfig& source, ModelConfig& c) {
  const std::string type = source.text("rope.scaling.type", "");
  c.rope_factor = source.number("rope.scaling.factor", source.number("rope.scale_linear", 1));
  source.ignore({"rope.scaling.original_context_length", "rope.scaling.finetuned"});
  if (type == "linear" || (type.empty() && c.rope_factor != 1))
    c.rope_scaling = "linear";
  else if (type.empty() || type == "none")
    c.rope_factor = 1;
  else
    source.unsupported("rope.scaling.type", "this build knows none, linear and llama3");
}

}  // namespace

ModelConfig gguf_decoder(SourceConfig& source) {
  ModelConfig c;
  c.dim = source.integer("embedding_length");
  c.layers = source.integer("block_count");
  c.heads = source.integer("attention.head_count");
  c.kv_heads = source.integer("attention.head_count_kv", c.heads);
  c.ffn_dim = source.integer("feed_forward_length");
  check_sizes(source, c);
  c.context = source.integer("context_length");
  c.vocab = source.integer("vocab_size", 0);
  c.head_dim = source.integer("attention.key_length", c.dim / c.heads);
  c.norm_eps = source.number("attention.layer_norm_rms_epsilon");
  c.rope_base = source.number("rope.freq_base", 10000);
  if (source.integer("attention.value_length", c.head_dim) != c.head_dim)
    source.unsupported("attention.value_length", "values must be as long as keys, " + std::to_string(c.head_dim));
  if (source.integer("rope.dimension_count", c.head_dim) != c.head_dim)
    source.unsupported("rope.dimension_count", "only whole heads can be rotated, " + std::to_string(c.head_dim));
  if (!source.flag("attention.causal", true)) source.unsupported("attention.causal", "only causal models can run");
  gguf_rope_scaling(source, c);
  source.ignore({"tensor_data_layout"});
  return c;
}

ModelConfig hugging_face_decoder(SourceConfig& source) {
  ModelConfig c;
  c.dim = source.integer("hidden_size");
  c.layers = source.integer("num_hidden_layers");
  c.heads = source.integer("num_attention_heads");
  c.kv_heads = source.integer("num_key_value_heads", c.heads);
  c.ffn_dim = source.integer("intermediate_size");
  check_sizes(source, c);
  c.context = source.integer("max_position_embeddings");
  c.vocab = source.integer("vocab_size");
  c.head_dim = source.integer("head_dim", c.dim / c.heads);
  c.norm_eps = source.number("rms_norm_eps", 1e-6);
  for (const char* key : {"quantization_config.quant_method", "quantization_config.format"}) {
    if (source.has(key))
      source.unsupported(key, "a checkpoint that is quantized already; take the original one, or a GGUF file");
  }
  source.ignore({"architectures",        "model_type",
                 "torch_dtype",          "dtype",
                 "transformers_version", "use_cache",
                 "initializer_range",    "bos_token_id",
                 "eos_token_id",         "pad_token_id",
                 "attention_dropout",    "_name_or_path",
                 "name_or_path",         "cache_implementation",
                 "pretraining_tp",       "tie_word_embeddings",
                 "is_llama_config",      "transformers.js_config.*",
                 "_attn_implementation", "unsloth_version",
                 "unsloth_fixed",        "use_mrope",
                 "id2label.*",           "label2id.*"});
  return c;
}

ModelConfig hugging_face_qwen(SourceConfig& source) {
  ModelConfig c = hugging_face_decoder(source);
  c.rope_base = source.number("rope_parameters.rope_theta", source.number("rope_theta", 10000));
  hugging_face_rope_scaling(source, source.has("rope_parameters.rope_type") ? "rope_parameters." : "rope_scaling.", c);
  c.activation = hugging_face_activation(source, "hidden_act", "silu");
  const int64_t window = source.integer("sliding_window", 0), first = source.integer("max_window_layers", 0);
  const bool windowed = source.flag("use_sliding_window", false);
  if (!windowed)
    source.ignore({"layer_types"});
  else if (!windows_from_layer_types(source, window, c)) {
    for (int64_t i = 0; i < c.layers; ++i) c.windows.push_back(i >= first ? window : 0);
  }
  return c;
}

void hugging_face_rope_scaling(SourceConfig& source, const std::string& prefix, ModelConfig& c) {
  const std::string old_name = source.text(prefix + "type", "default");
  const std::string type = source.text(prefix + "rope_type", old_name);
  if (type == "default" || type == "none") return;
  if (type != "linear" && type != "llama3")
    source.unsupported(prefix + (source.has(prefix + "rope_type") ? "rope_type" : "type"),
                       "this build knows the rotary scalings linear and llama3");
  c.rope_scaling = type;
  c.rope_factor = source.number(prefix + "factor");
  if (type != "llama3") return;
  c.rope_low_freq_factor = source.number(prefix + "low_freq_factor");
  c.rope_high_freq_factor = source.number(prefix + "high_freq_factor");
  c.rope_original_context = source.integer(prefix + "original_max_position_embeddings");
}

std::string hugging_face_activation(SourceConfig& source, std::string_view key, const char* otherwise) {
  const std::string name = source.text(key, otherwise);
  if (name == "silu" || name == "swish") return "silu";
  if (name == "gelu_pytorch_tanh") return "gelu_tanh";
  source.unsupported(key, "this build knows silu and gelu_pytorch_tanh");
}

bool windows_from_layer_types(SourceConfig& source, int64_t window, ModelConfig& c) {
  const auto types = source.texts("layer_types");
  if (types.empty()) return false;
  if (int64_t(types.size()) != c.layers)
    fail(Code::bad_file, "%s: 'layer_types' has %zu entries for %lld layers", source.where().c_str(), types.size(),
         (long long)c.layers);
  for (const std::string& type : types) {
    if (type != "full_attention" && type != "sliding_attention")
      source.unsupported("layer_types", "this build knows full_attention and sliding_attention");
    const bool windowed = type == "sliding_attention";
    if (windowed && window <= 0) fail(Code::bad_file, "%s: 'sliding_window' is missing", source.where().c_str());
    c.windows.push_back(windowed ? window : 0);
  }
  if (std::all_of(c.windows.begin(), c.windows.end(), [](int64_t w) { return w == 0; })) c.windows.clear();
  return true;
}

}  // namespace loam
