#include "formats/architectures.h"

#include <algorithm>
#include <unordered_map>

#include "formats/architectures/common.h"
#include "formats/byte_reader.h"

namespace loam {
namespace {

const Architecture* const kArchitectures[] = {&kLlama, &kQwen2, &kQwen3, &kGemma3};

std::string known_names(std::string_view Architecture::*member) {
  std::string out;
  for (const Architecture* a : kArchitectures) out += (out.empty() ? "" : ", ") + std::string(a->*member);
  return out;
}

int64_t size_of(Size size, const ModelConfig& c) {
  switch (size) {
    case Size::one: return 1;
    case Size::dim: return c.dim;
    case Size::q: return c.heads * c.head_dim;
    case Size::kv: return c.kv_heads * c.head_dim;
    case Size::head: return c.head_dim;
    case Size::ffn: return c.ffn_dim;
    case Size::vocab: return c.vocab;
  }
  return 0;
}

std::string with_layer(std::string_view pattern, int64_t layer) {
  const size_t at = pattern.find('#');
  if (at == pattern.npos) return std::string(pattern);
  return std::string(pattern.substr(0, at)) + std::to_string(layer) + std::string(pattern.substr(at + 1));
}

std::string shape_text(std::span<const int64_t> dims) {
  std::string out = "[";
  for (const int64_t d : dims) out += (out.size() > 1 ? ", " : "") + std::to_string(d);
  return out + "]";
}

// "a, b, c and 5 more"
std::string list_text(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 4; ++i) out += (i ? ", " : "") + printable(names[i]);
  return names.size() > 4 ? out + " and " + std::to_string(names.size() - 4) + " more" : out;
}

// Expected tensors by the source's names, each with its canonical self; `optional` ones may be missing.
struct Expected {
  MappedTensor tensor;
  bool optional = false, found = false;
};
using ExpectedTensors = std::unordered_map<std::string, Expected>;

std::vector<TensorRule> tensor_rules(const Architecture& architecture) {
  std::vector<TensorRule> rules(architecture.tensors.begin(), architecture.tensors.end());
  for (const TensorRule& rule : kDecoderTensors) {
    const auto same = [&](const TensorRule& own) { return own.name == rule.name; };
    if (std::none_of(architecture.tensors.begin(), architecture.tensors.end(), same)) rules.push_back(rule);
  }
  return rules;
}

ExpectedTensors expected_tensors(const Architecture& architecture, const ModelConfig& c, Naming naming) {
  ExpectedTensors out;
  for (const TensorRule& rule : tensor_rules(architecture)) {
    const std::string_view source = naming == Naming::gguf ? rule.gguf : rule.hugging_face;
    const bool per_layer = rule.name.find('#') != rule.name.npos;
    for (int64_t layer = 0; layer < (per_layer ? c.layers : 1); ++layer) {
      MappedTensor t{with_layer(rule.name, layer), 0, size_of(rule.n, c), size_of(rule.k, c), rule.n == Size::one, 0};
      if (naming == Naming::hugging_face) t.offset = rule.offset;
      out[with_layer(source, layer)] = {std::move(t), rule.optional};
    }
  }
  return out;
}

// Does a name match a pattern whose '#' stands for a number?
bool matches(std::string_view pattern, std::string_view name) {
  const size_t at = pattern.find('#');
  if (at == pattern.npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, at))) return false;
  const size_t end = std::min(name.find_first_not_of("0123456789", at), name.size());
  return end > at && name.substr(end) == pattern.substr(at + 1);
}

}  // namespace

std::span<const Architecture* const> all_architectures() { return kArchitectures; }

const Architecture& find_architecture(const Metadata& gguf, const std::string& where) {
  const std::string name = gguf.get_or("general.architecture", std::string());
  for (const Architecture* a : kArchitectures) {
    if (a->gguf == name) return *a;
  }
  fail(Code::unsupported, "%s: the model's architecture is '%s'; this build knows: %s", where.c_str(),
       printable(name).c_str(), known_names(&Architecture::gguf).c_str());
}

const Architecture& find_architecture(SourceConfig& config) {
  const auto classes = config.texts("architectures");
  const std::string type = config.text("model_type", "");
  for (const Architecture* a : kArchitectures) {
    const bool named = std::find(classes.begin(), classes.end(), a->class_name) != classes.end();
    if (named || (classes.empty() && type == a->model_type)) return *a;
  }
  fail(Code::unsupported, "%s: the model's architecture is '%s' (model_type '%s'); this build knows: %s",
       config.where().c_str(), classes.empty() ? "" : printable(classes[0]).c_str(), printable(type).c_str(),
       known_names(&Architecture::class_name).c_str());
}

std::vector<MappedTensor> map_tensors(const Architecture& architecture, const ModelConfig& config, Naming naming,
                                      std::span<const FoundTensor> found, const std::string& where) {
  ExpectedTensors expected = expected_tensors(architecture, config, naming);
  std::vector<MappedTensor> out;
  std::vector<std::string> unknown, missing;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto& ignored = architecture.ignored;
    if (std::any_of(ignored.begin(), ignored.end(), [&](auto p) { return matches(p, found[i].name); })) continue;
    const auto it = expected.find(found[i].name);
    if (it == expected.end()) {
      unknown.push_back(found[i].name);
      continue;
    }
    MappedTensor t = it->second.tensor;
    const std::vector<int64_t> dims = t.vector ? std::vector{t.k} : std::vector{t.n, t.k};
    if (found[i].dims != dims)
      fail(Code::bad_file, "%s: tensor '%s' has the shape %s, expected %s", where.c_str(),
           printable(found[i].name).c_str(), shape_text(found[i].dims).c_str(), shape_text(dims).c_str());
    it->second.found = true;
    t.found = i;
    out.push_back(std::move(t));
  }
  for (const auto& [name, e] : expected) {
    if (!e.found && !e.optional) missing.push_back(name);
  }
  std::sort(missing.begin(), missing.end());
  if (!missing.empty()) fail(Code::bad_file, "%s: tensors are missing: %s", where.c_str(), list_text(missing).c_str());
  if (!unknown.empty())
    fail(Code::unsupported,
         "%s: tensors that a model of the architecture %.*s does not have: %s; leaving them out could change the "
         "model's answers",
         where.c_str(), int(architecture.gguf.size()), architecture.gguf.data(), list_text(unknown).c_str());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

}  // namespace loam
