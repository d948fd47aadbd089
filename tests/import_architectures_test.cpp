// Source architectures: names, shapes and settings from both kinds of sources, and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "formats/architectures.h"
#include "tests/error_text.h"
#include "tests/golden_models.h"

using namespace loam;
using tests::mentions;

namespace {

ModelConfig read_json(const std::string& text) {
  SourceConfig keys = SourceConfig::from_json(text, "config.json");
  const Architecture& architecture = find_architecture(keys);
  ModelConfig c = architecture.from_hugging_face(keys);
  keys.finish();
  c.check();
  return c;
}

// A config.json with one key replaced (or added).
std::string with(const std::string& text, const std::string& key, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(text);
  json[key] = value;
  return json.dump();
}

std::string refusal(const std::string& text) {
  try {
    read_json(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::vector<FoundTensor> found_in(const golden::Model& m) {
  std::vector<FoundTensor> out;
  for (const auto& t : m.tensors) out.push_back({t.source, t.vector ? std::vector{t.k} : std::vector{t.n, t.k}});
  return out;
}

Metadata gguf_llama() {
  Metadata m;
  m.set("general.architecture", std::string("llama"));
  for (const auto& [key, value] : std::map<std::string, int64_t>{{"embedding_length", 96},
                                                                 {"block_count", 2},
                                                                 {"attention.head_count", 3},
                                                                 {"attention.head_count_kv", 1},
                                                                 {"feed_forward_length", 160},
                                                                 {"context_length", 512},
                                                                 {"vocab_size", 307}}) {
    m.set("llama." + key, value);
  }
  m.set("llama.attention.layer_norm_rms_epsilon", 1e-5);
  m.set("llama.rope.freq_base", 500000.0);
  return m;
}

ModelConfig read_gguf(const Metadata& m, const std::vector<double>& factors = {}) {
  const Architecture& architecture = find_architecture(m, "x.gguf");
  SourceConfig keys = SourceConfig::from_gguf(m, std::string(architecture.gguf) + ".", "x.gguf");
  if (!factors.empty()) keys.set("rope_factors", factors);
  ModelConfig c = architecture.from_gguf(keys);
  keys.finish();
  c.check();
  return c;
}

std::string refusal(const Metadata& m, const std::vector<double>& factors = {}) {
  try {
    read_gguf(m, factors);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

// llama3's division of each frequency, after its definition: by wavelength.
std::vector<double> llama3_factors(double base, int64_t head_dim, double factor, double context) {
  std::vector<double> out;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    const double wavelength = 2 * M_PI * std::pow(base, double(2 * i) / double(head_dim));
    if (wavelength < context / 4)
      out.push_back(1);
    else if (wavelength > context / 1)
      out.push_back(factor);
    else {
      const double smooth = (context / wavelength - 1) / (4 - 1);
      out.push_back(double(float(1 / ((1 - smooth) / factor + smooth))));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("every golden model's tensors get their canonical names, from old and new config.json alike") {
  for (const std::string& name : golden::model_names()) {
    CAPTURE(name);
    const golden::Model m = golden::load_model(name);
    const ModelConfig c = read_json(m.config);
    CHECK(c == read_json(m.config_old));
    CHECK(c.vocab == m.vocab);
    SourceConfig keys = SourceConfig::from_json(m.config, "config.json");
    const auto found = found_in(m);
    const auto mapped = map_tensors(find_architecture(keys), c, Naming::hugging_face, found, name);
    REQUIRE(mapped.size() == m.tensors.size());
    for (size_t i = 0; i < mapped.size(); ++i) {
      const golden::Tensor& expected = m.tensors[mapped[i].found];
      CHECK(mapped[i].name == expected.name);
      CHECK(mapped[i].vector == expected.vector);
      CHECK(mapped[i].offset == -expected.source_offset);
    }
  }
}

TEST_CASE("settings of the golden models") {
  const auto config = [](const char* name) { return read_json(golden::load_model(name).config); };
  const ModelConfig linear = config("llama-linear");
  CHECK(linear.rope_scaling == "linear");
  CHECK(linear.rope_factor == 4);
  CHECK(linear.head_dim == 80);
  CHECK(linear.rope_pairing == "half");
  const ModelConfig llama3 = config("llama-llama3");
  CHECK(llama3.rope_scaling == "llama3");
  CHECK(llama3.rope_original_context == 64);
  CHECK(llama3.rope_high_freq_factor == 4);
  CHECK(config("qwen2").rope_base == 1e6);
  CHECK(config("qwen3").head_dim == 32);
  const ModelConfig gemma = config("gemma3");
  CHECK(gemma.windows == std::vector<int64_t>{16, 16, 0, 16, 16, 0});
  CHECK(gemma.rope_base == 1e6);
  CHECK(gemma.rope_base_local == 10000);
  CHECK(gemma.rope_scaling == "linear");
  CHECK(gemma.activation == "gelu_tanh");
  CHECK(gemma.attention_scale == doctest::Approx(1 / std::sqrt(24.0)));
  CHECK(gemma.embed_scale == double(std::sqrt(96.f)));
}

TEST_CASE("settings that change the mathematics are refused by name") {
  const std::string llama = golden::load_model("llama-tied").config_old,
                    gemma = golden::load_model("gemma3").config_old;
  REQUIRE(refusal(llama) == "");
  CHECK(mentions(refusal(with(llama, "attention_bias", true)), "'attention_bias'"));
  CHECK(mentions(refusal(with(llama, "mlp_bias", true)), "'mlp_bias'"));
  CHECK(mentions(refusal(with(llama, "partial_rotary_factor", 0.5)), "'partial_rotary_factor'"));
  CHECK(mentions(refusal(with(llama, "a_new_switch", "on")), "'a_new_switch'"));
  CHECK(refusal(with(llama, "a_new_switch", false)) == "");
  CHECK(refusal(with(llama, "a_new_switch", nullptr)) == "");
  CHECK(mentions(refusal(with(llama, "hidden_act", "relu")), "hidden_act"));
  CHECK(mentions(refusal(with(llama, "rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}})), "yarn"));
  CHECK(mentions(refusal(with(llama, "rope_scaling", {{"rope_type", "linear"}, {"factor", 4.0}, {"mscale", 1.0}})),
                 "mscale"));
  CHECK(mentions(refusal(with(llama, "quantization_config", {{"quant_method", "gptq"}})), "quantized already"));
  CHECK(mentions(refusal(with(gemma, "final_logit_softcapping", 30.0)), "'final_logit_softcapping'"));
  CHECK(mentions(refusal(with(gemma, "layer_types", {"full_attention"})), "layer_types"));
}

TEST_CASE("bad values of settings are bad files") {
  const std::string llama = golden::load_model("llama-tied").config_old;
  CHECK(mentions(refusal(with(llama, "hidden_size", "many")), "expected one integer"));
  CHECK(mentions(refusal(with(llama, "num_attention_heads", 0)), "make no sense"));
  CHECK(mentions(refusal(with(llama, "num_hidden_layers", 1 << 30)), "make no sense"));
  CHECK(mentions(refusal(with(llama, "num_key_value_heads", 4)), "kv_heads"));
  CHECK(mentions(refusal("[]"), "not a JSON object"));
  CHECK(mentions(refusal("{\"architectures\": [\"LlamaForCausalLM\"]"), "not valid JSON"));
  CHECK(mentions(refusal("{\"architectures\": [\"LlamaForCausalLM\"]}"), "'hidden_size' is missing"));
  for (const char* open : {"[", "{\"a\":"}) {
    std::string text = "{\"a\":";
    for (int i = 0; i < 100000; ++i) text += open;
    CHECK(mentions(refusal(text), "nested deeper"));
  }
}

TEST_CASE("an unknown architecture is answered with the known ones") {
  const std::string text = refusal("{\"architectures\": [\"MambaForCausalLM\"], \"model_type\": \"mamba\"}");
  CHECK(mentions(text, "MambaForCausalLM"));
  for (const Architecture* a : all_architectures()) CHECK(mentions(text, std::string(a->class_name)));
  Metadata m;
  m.set("general.architecture", std::string("mamba"));
  CHECK(mentions(refusal(m), "llama, qwen2, qwen3, gemma3"));
}

TEST_CASE("missing, unknown and misshapen tensors are named") {
  const golden::Model m = golden::load_model("llama-tied");
  const ModelConfig c = read_json(m.config);
  SourceConfig keys = SourceConfig::from_json(m.config, "config.json");
  const Architecture& a = find_architecture(keys);
  const auto what = [&](std::vector<FoundTensor> found) -> std::string {
    try {
      map_tensors(a, c, Naming::hugging_face, found, "m");
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  auto found = found_in(m);
  CHECK(what(found) == "");
  found.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", {16}});
  CHECK(what(found) == "");
  found.push_back({"model.layers.0.self_attn.q_proj.bias", {96}});
  CHECK(mentions(what(found), "model.layers.0.self_attn.q_proj.bias"));
  found = found_in(m);
  found[3].dims.back() += 1;
  CHECK(mentions(what(found), found[3].name));
  found = found_in(m);
  const std::string gone = found[5].name;
  found.erase(found.begin() + 5);
  CHECK(mentions(what(found), "missing: " + gone));
}

TEST_CASE("GGUF settings, and llama3's factors found again") {
  const Metadata m = gguf_llama();
  const ModelConfig c = read_gguf(m);
  CHECK(c.head_dim == 32);
  CHECK(c.rope_pairing == "interleaved");
  CHECK(c.rope_scaling == "none");
  for (const double factor : {8.0, 32.0}) {
    for (const double context : {8192.0, 64.0}) {
      CAPTURE(factor);
      CAPTURE(context);
      const ModelConfig scaled = read_gguf(m, llama3_factors(500000, 32, factor, context));
      CHECK(scaled.rope_scaling == "llama3");
      CHECK(scaled.rope_factor == factor);
      // Only contexts that give other factors can be told apart; the factors are what counts.
      CHECK(llama3_factors(500000, 32, factor, double(scaled.rope_original_context)) ==
            llama3_factors(500000, 32, factor, context));
    }
  }
  std::vector<double> odd = llama3_factors(500000, 32, 8, 8192);
  odd[7] *= 1.01;
  CHECK(mentions(refusal(m, odd), "rope_factors"));
  CHECK(mentions(refusal(m, {1, 2}), "rope_factors"));
}

TEST_CASE("GGUF settings that change the mathematics are refused by name") {
  const auto what = [](const char* key, MetaValue value) {
    Metadata m = gguf_llama();
    m.set(std::string("llama.") + key, std::move(value));
    return refusal(m);
  };
  CHECK(what("rope.dimension_count", int64_t(32)) == "");
  CHECK(mentions(what("rope.dimension_count", int64_t(16)), "rope.dimension_count"));
  CHECK(mentions(what("rope.scaling.type", std::string("yarn")), "yarn"));
  CHECK(mentions(what("expert_count", int64_t(8)), "'expert_count'"));
  CHECK(what("expert_count", int64_t(0)) == "");
  CHECK(mentions(what("final_logit_softcapping", 30.0), "'final_logit_softcapping'"));
  CHECK(mentions(what("attention.value_length", int64_t(64)), "value_length"));
  CHECK(mentions(what("attention.causal", false), "causal"));
  CHECK(mentions(what("attention.head_count_kv", std::vector<int64_t>{1, 1}), "one integer"));
  Metadata linear = gguf_llama();
  linear.set("llama.rope.scaling.type", std::string("linear")), linear.set("llama.rope.scaling.factor", 4.0);
  CHECK(read_gguf(linear).rope_scaling == "linear");
  CHECK(read_gguf(linear).rope_factor == 4);
}
