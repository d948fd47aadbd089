// tokenizer.json: vocabulary and merges become arrays, the steps stay JSON.
#include "core/text/tokenizer_json.h"

#include <algorithm>

#include "core/text/end_tokens.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_json_reader.h"
#include "core/text/vocabulary.h"

namespace loam {
namespace {

// Ids may leave gaps; a gap of more than this is taken for a damaged file.
constexpr int64_t kMostUnused = 1 << 20;

struct Entry {
  std::string_view text;
  TokenKind kind = TokenKind::unused;
  uint8_t flags = 0;
  double score = 0;
};

Entry& entry_at(std::vector<Entry>& entries, int64_t id) {
  if (id < 0 || id > int64_t(entries.size()) + kMostUnused) {
    fail(Code::bad_file, "tokenizer.json: a token has the id %lld", static_cast<long long>(id));
  }
  if (size_t(id) >= entries.size()) entries.resize(size_t(id) + 1);
  return entries[size_t(id)];
}

void read_vocabulary(const TokenizerJsonParts& parts, std::vector<Entry>& entries) {
  if (!parts.has_vocabulary) fail(Code::bad_file, "tokenizer.json: the model has no vocab");
  entries.resize(parts.vocabulary.size());
  const bool byte_fallback = bool_field(parts.root["model"], "byte_fallback", false);
  for (const TokenizerJsonParts::Token& token : parts.vocabulary) {
    Entry& e = entry_at(entries, token.id);
    if (e.kind != TokenKind::unused) {
      fail(Code::bad_file, "tokenizer.json: two tokens have the id %lld", static_cast<long long>(token.id));
    }
    const std::string_view text = parts.text(token.text);
    const bool byte = byte_fallback && byte_token_value(text) >= 0;
    e = {text, byte ? TokenKind::byte : TokenKind::normal, 0, token.score};
  }
}

void read_added(const Json& root, std::vector<Entry>& entries) {
  const auto added = root.find("added_tokens");
  if (added == root.end() || added->is_null()) return;
  if (!added->is_array()) fail(Code::bad_file, "tokenizer.json: added_tokens is not a list");
  for (const Json& token : *added) {
    const auto content = token.find("content");
    if (content == token.end() || !content->is_string())
      fail(Code::bad_file, "tokenizer.json: an added token has no content");
    const bool special = bool_field(token, "special", false);
    uint8_t flags = TokenFlags::added;
    if (special) flags |= TokenFlags::special;
    if (bool_field(token, "lstrip", false)) flags |= TokenFlags::lstrip;
    if (bool_field(token, "rstrip", false)) flags |= TokenFlags::rstrip;
    if (bool_field(token, "single_word", false)) flags |= TokenFlags::single_word;
    if (bool_field(token, "normalized", !special)) flags |= TokenFlags::normalized;
    const Json id = token.value("id", Json());
    Entry& e = entry_at(entries, id.is_number_integer() ? id.get<int64_t>() : -1);
    const auto& text = content->get_ref<const std::string&>();
    if (e.kind == TokenKind::unused || e.text != text) flags |= TokenFlags::outside;
    e = {text, special ? TokenKind::control : TokenKind::user_defined, flags, e.score};
  }
}

[[noreturn]] void fail_merge(const std::string& left, const std::string& right) {
  fail(Code::bad_file, "tokenizer.json: the merge of '%.100s' and '%.100s' is not in the vocabulary", left.c_str(),
       right.c_str());
}

void read_merges(const TokenizerJsonParts& parts, const Vocabulary& vocabulary, TokenizerSpecBuilder& builder) {
  const size_t prefix = string_field(parts.root["model"], "continuing_subword_prefix").size();
  std::string joined;
  for (const TokenizerJsonParts::Merge& merge : parts.merges) {
    const std::string_view left = parts.text(merge.left), right = parts.text(merge.right);
    joined.assign(left).append(right.substr(std::min(prefix, right.size())));
    const int32_t l = vocabulary.find(left), r = vocabulary.find(right), result = vocabulary.find(joined);
    if (l < 0 || r < 0 || result < 0) fail_merge(std::string(left), std::string(right));
    builder.add_merge(uint32_t(l), uint32_t(r), uint32_t(result));
  }
}

// Files of the first years leave the model's type out.
const char* guess_type(const TokenizerJsonParts& parts) {
  if (parts.has_scores) return "Unigram";
  if (parts.root["model"].contains("max_input_chars_per_word")) return "WordPiece";
  return parts.merges.empty() ? "WordLevel" : "BPE";
}

std::string pipeline_of(const TokenizerJsonParts& parts) {
  Json pipeline = Json::object();
  for (const char* step : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    pipeline[step] = parts.root.value(step, Json());
  }
  Json& model = pipeline["model"] = parts.root["model"];
  if (string_field(model, "type").empty()) model["type"] = guess_type(parts);
  return pipeline.dump();
}

// A special token in tokenizer_config.json is a text, or an object with its content.
std::string token_text(const Json& config, const char* name) {
  const auto it = config.find(name);
  if (it == config.end()) return {};
  if (it->is_string()) return it->get<std::string>();
  return it->is_object() ? string_field(*it, "content") : std::string();
}

std::string chat_template_of(const Json& config) {
  const auto it = config.find("chat_template");
  if (it == config.end()) return {};
  if (it->is_string()) return it->get<std::string>();
  if (!it->is_array()) return {};
  std::string text;
  for (const Json& named : *it) {  // several named templates: "default" is the one to chat with
    if (named.is_object() && string_field(named, "name") == "default") text = string_field(named, "template");
  }
  return text;
}

void read_special(const Json& config, const Json& generation, const Vocabulary& vocabulary, TokenizerSpec& spec) {
  const auto id_of = [&](const char* name) {
    const std::string text = token_text(config, name);
    return text.empty() ? -1 : vocabulary.find(text);
  };
  spec.bos = id_of("bos_token"), spec.eos = id_of("eos_token");
  spec.unk = id_of("unk_token"), spec.pad = id_of("pad_token");
  const Json ends = generation.value("eos_token_id", Json());
  std::vector<int32_t> more;
  for (const Json& id : ends.is_array() ? ends : Json::array({ends})) {
    if (id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < int64_t(spec.size())) {
      more.push_back(id.get<int32_t>());
    }
  }
  if (spec.eos < 0 && !more.empty()) spec.eos = more.front();
  find_end_tokens(spec);
  for (const int32_t id : more) {
    if (std::find(spec.ends.begin(), spec.ends.end(), id) == spec.ends.end()) spec.ends.push_back(id);
  }
}

void describe_pipeline(const Json& root, TokenizerSpec& spec) {
  const Special special = make_post_processor(root.value("post_processor", Json()), spec);
  const auto& before = special.before;
  const auto& after = special.after;
  if (spec.bos < 0 && !before.empty()) spec.bos = before.front();
  spec.add_bos = std::find(before.begin(), before.end(), spec.bos) != before.end();
  spec.add_eos = spec.eos >= 0 && std::find(after.begin(), after.end(), spec.eos) != after.end();
  const std::string steps = spec.pipeline;
  spec.add_space_prefix =
      steps.find("\"Prepend\"") != std::string::npos ||
      (steps.find("\"Metaspace\"") != std::string::npos && steps.find("never") == std::string::npos);
}

int32_t unk_of(const Json& model, const Vocabulary& vocabulary, size_t vocab) {
  const std::string unk = string_field(model, "unk_token");
  if (!unk.empty()) return vocabulary.find(unk);
  const Json id = model.value("unk_id", Json());
  const int64_t i = id.is_number_integer() ? id.get<int64_t>() : -1;
  return i >= 0 && i < int64_t(vocab) ? int32_t(i) : -1;
}

LoadedTokenizer load(const TokenizerJsonParts& parts, const Json& config, const Json& generation) {
  const Json& root = parts.root;
  if (!root.is_object() || !root.contains("model") || !root["model"].is_object()) {
    fail(Code::bad_file, "tokenizer.json has no model");
  }
  std::vector<Entry> entries;
  read_vocabulary(parts, entries);
  read_added(root, entries);
  TokenizerSpecBuilder builder;
  builder.reserve(entries.size(), parts.texts.size(), parts.merges.size());
  for (const Entry& e : entries) {
    builder.add(e.text, e.kind, e.flags);
    if (parts.has_scores) builder.add_score(e.score);
  }
  TokenizerSpec plain = builder.finish({});
  const Vocabulary vocabulary(plain);
  read_merges(parts, vocabulary, builder);
  LoadedTokenizer out;
  out.spec.pipeline = pipeline_of(parts);
  out.spec = builder.finish(std::move(out.spec));
  read_special(config, generation, vocabulary, out.spec);
  if (out.spec.unk < 0) out.spec.unk = unk_of(root["model"], vocabulary, out.spec.size());
  describe_pipeline(root, out.spec);
  out.chat_template = chat_template_of(config);
  out.spec.check();
  return out;
}

}  // namespace

LoadedTokenizer tokenizer_from_json(std::string_view tokenizer_json, std::string_view config,
                                    std::string_view generation_config) {
  const auto optional = [](std::string_view text, const char* what) {
    const Json json = text.empty() ? Json::object() : parse_json(text, what);
    return json.is_object() ? json : Json::object();
  };
  const Json config_json = optional(config, "tokenizer_config.json");
  const Json generation = optional(generation_config, "generation_config.json");
  return with_json_errors("tokenizer.json",
                          [&] { return load(read_tokenizer_json(tokenizer_json), config_json, generation); });
}

}  // namespace loam
