// Reads the two files of configuration.
#include "core/text/tokenizer_config.h"

#include <algorithm>
#include <charconv>

#include "core/text/end_tokens.h"
#include "core/text/json.h"

namespace loam {
namespace {

Json optional_object(std::string_view text, const char* what) {
  Json json = text.empty() ? Json::object() : parse_json(text, what);
  return json.is_object() ? json : Json::object();
}

}  // namespace

TokenizerConfig::TokenizerConfig(std::string_view config, std::string_view generation_config)
    : config_(optional_object(config, "tokenizer_config.json")),
      generation_(optional_object(generation_config, "generation_config.json")) {}

// A special token is a text, or an object with its content.
std::string TokenizerConfig::token_text(const char* name) const {
  const Json* const it = config_.find(name);
  if (!it) return {};
  if (it->is_string()) return it->get<std::string>();
  return it->is_object() ? string_field(*it, "content") : std::string();
}

std::string TokenizerConfig::chat_template() const {
  const Json* const it = config_.find("chat_template");
  if (!it) return {};
  if (it->is_string()) return it->get<std::string>();
  if (!it->is_array()) return {};
  std::string text;
  for (const Json& named : *it) {  // several named templates: "default" is the one to chat with
    if (named.is_object() && string_field(named, "name") == "default") text = string_field(named, "template");
  }
  return text;
}

std::string TokenizerConfig::class_name() const {
  const Json* const it = config_.find("tokenizer_class");
  std::string name = it && it->is_string() ? it->get<std::string>() : std::string();
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

std::optional<bool> TokenizerConfig::flag(const char* name) const {
  const Json* const it = config_.find(name);
  if (!it || !it->is_boolean()) return std::nullopt;
  return it->get<bool>();
}

void TokenizerConfig::read_special(const Vocabulary& vocabulary, TokenizerSpec& spec) const {
  const auto read = [&](const char* name, int32_t& id) {
    const std::string text = token_text(name);
    if (const int32_t found = text.empty() ? -1 : vocabulary.find(text); found >= 0) id = found;
  };
  read("bos_token", spec.bos), read("eos_token", spec.eos), read("unk_token", spec.unk), read("pad_token", spec.pad);
  const Json ends = generation_.value("eos_token_id", Json());
  std::vector<int32_t> more;
  for (const Json& id : ends.is_array() ? ends : Json::array({ends})) {
    if (id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < int64_t(spec.size())) {
      more.push_back(id.get<int32_t>());
    }
  }
  if (spec.eos < 0 && !more.empty()) spec.eos = more.front();
  find_end_tokens(spec, more);
}

uint8_t added_token_flags(const Json& token) {
  const bool special = bool_field(token, "special", false);
  uint8_t flags = TokenFlags::added;
  if (special) flags |= TokenFlags::special;
  if (bool_field(token, "lstrip", false)) flags |= TokenFlags::lstrip;
  if (bool_field(token, "rstrip", false)) flags |= TokenFlags::rstrip;
  if (bool_field(token, "single_word", false)) flags |= TokenFlags::single_word;
  if (bool_field(token, "normalized", !special)) flags |= TokenFlags::normalized;
  return flags;
}

TokenKind added_token_kind(uint8_t flags) {
  return flags & TokenFlags::special ? TokenKind::control : TokenKind::user_defined;
}

std::vector<TokenizerConfig::Added> TokenizerConfig::added_tokens() const {
  std::vector<Added> out;
  const Json* const tokens = config_.find("added_tokens_decoder");
  if (!tokens || !tokens->is_object()) return out;
  for (const auto& [key, token] : tokens->items()) {
    size_t id = 0;
    const auto end = std::from_chars(key.data(), key.data() + key.size(), id).ptr;
    if (key.empty() || end != key.data() + key.size() || id >= size_t(1) << 31 || !token.is_object()) {
      fail(Code::bad_file, "tokenizer_config.json: added_tokens_decoder has '%.100s', which is no id of a token",
           key.c_str());
    }
    const uint8_t flags = added_token_flags(token);
    out.push_back({id, string_field(token, "content"), added_token_kind(flags), flags});
  }
  std::sort(out.begin(), out.end(), [](const Added& a, const Added& b) { return a.id < b.id; });
  return out;
}

void add_tokens(const std::vector<TokenizerConfig::Added>& added, bool scores, TokenizerSpecBuilder& builder) {
  const auto append = [&](std::string_view text, TokenKind kind, uint8_t flags) {
    builder.add(text, kind, flags);
    if (scores) builder.add_score(0);
  };
  for (const auto& token : added) {
    if (token.id > builder.size() + kMostUnused) {
      fail(Code::bad_file, "tokenizer: an added token has the id %zu", token.id);
    }
    if (token.id < builder.size()) {  // of the vocabulary: its text stays
      builder.set_kind(int32_t(token.id), token.kind);
      builder.set_flags(int32_t(token.id), token.flags);
      continue;
    }
    while (builder.size() < token.id) append({}, TokenKind::unused, 0);
    append(token.text, token.kind, uint8_t(token.flags | TokenFlags::outside));
  }
}

}  // namespace loam
