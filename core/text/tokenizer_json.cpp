// tokenizer.json: vocabulary and merges become arrays, the steps stay JSON.
#include "core/text/tokenizer_json.h"

#include <algorithm>

#include "core/text/end_tokens.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/vocabulary.h"

namespace loam {
namespace {

// Ids may leave gaps; a gap of more than this is taken for a damaged file.
constexpr int64_t kMostUnused = 1 << 20;

struct Entry {
  std::string_view text;
  TokenKind kind = TokenKind::unused;
  uint8_t flags = 0;
};

Entry& entry_at(std::vector<Entry>& entries, const Json& id) {
  const int64_t i = id.is_number_integer() ? id.get<int64_t>() : -1;
  if (i < 0 || i > int64_t(entries.size()) + kMostUnused) {
    fail(Code::bad_file, "tokenizer.json: a token has the id %lld", static_cast<long long>(i));
  }
  if (size_t(i) >= entries.size()) entries.resize(size_t(i) + 1);
  return entries[size_t(i)];
}

void read_vocabulary(const Json& model, std::vector<Entry>& entries) {
  const auto vocab = model.find("vocab");
  if (vocab == model.end() || !vocab->is_object())
    fail(Code::bad_file, "tokenizer.json: the model has no vocab object");
  entries.resize(vocab->size());
  const bool byte_fallback = bool_field(model, "byte_fallback", false);
  for (auto it = vocab->begin(); it != vocab->end(); ++it) {
    const std::string& text = it.key();
    Entry& e = entry_at(entries, it.value());
    if (e.kind != TokenKind::unused) fail(Code::bad_file, "tokenizer.json: two tokens have the same id");
    const bool byte = byte_fallback && byte_token_value(text) >= 0;
    e = {text, byte ? TokenKind::byte : TokenKind::normal, 0};
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
    entry_at(entries, token.value("id", Json())) = {content->get_ref<const std::string&>(),
                                                    special ? TokenKind::control : TokenKind::user_defined, flags};
  }
}

[[noreturn]] void fail_merge(const std::string& left, const std::string& right) {
  fail(Code::bad_file, "tokenizer.json: the merge of '%.100s' and '%.100s' is not in the vocabulary", left.c_str(),
       right.c_str());
}

void read_merges(const Json& model, const Vocabulary& vocabulary, TokenizerSpecBuilder& builder) {
  const auto merges = model.find("merges");
  if (merges == model.end() || !merges->is_array()) return;
  for (const Json& merge : *merges) {
    std::string left, right;
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space == std::string::npos)
        fail(Code::bad_file, "tokenizer.json: the merge '%.100s' has no space", text.c_str());
      left = text.substr(0, space), right = text.substr(space + 1);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      left = merge[0].get<std::string>(), right = merge[1].get<std::string>();
    } else {
      fail(Code::bad_file, "tokenizer.json: a merge is neither \"a b\" nor [\"a\", \"b\"]");
    }
    const int32_t l = vocabulary.find(left), r = vocabulary.find(right), result = vocabulary.find(left + right);
    if (l < 0 || r < 0 || result < 0) fail_merge(left, right);
    builder.add_merge(uint32_t(l), uint32_t(r), uint32_t(result));
  }
}

std::string pipeline_of(const Json& root) {
  Json pipeline = Json::object();
  for (const char* step : {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
    pipeline[step] = root.value(step, Json());
  }
  Json& model = pipeline["model"] = Json::object();
  for (const auto& [name, value] : root["model"].items()) {
    if (name != "vocab" && name != "merges") model[name] = value;
  }
  if (!model.contains("type")) model["type"] = "BPE";  // files of the first years leave it out
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

LoadedTokenizer load(const Json& root, const Json& config, const Json& generation) {
  if (!root.is_object() || !root.contains("model") || !root["model"].is_object()) {
    fail(Code::bad_file, "tokenizer.json has no model");
  }
  const Json& model = root["model"];
  if (const std::string type = string_field(model, "type"); !type.empty() && type != "BPE")
    fail_unknown_step("model", type);
  std::vector<Entry> entries;
  read_vocabulary(model, entries);
  read_added(root, entries);
  TokenizerSpecBuilder builder;
  for (const Entry& e : entries) builder.add(e.text, e.kind, e.flags);
  const std::string unk = string_field(model, "unk_token");
  TokenizerSpec plain = builder.finish({});
  const Vocabulary vocabulary(plain);
  read_merges(model, vocabulary, builder);
  LoadedTokenizer out;
  out.spec.pipeline = pipeline_of(root);
  out.spec = builder.finish(std::move(out.spec));
  read_special(config, generation, vocabulary, out.spec);
  if (out.spec.unk < 0 && !unk.empty()) out.spec.unk = vocabulary.find(unk);
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
  const Json root = parse_json(tokenizer_json, "tokenizer.json");
  const Json config_json = optional(config, "tokenizer_config.json");
  const Json generation = optional(generation_config, "generation_config.json");
  return with_json_errors("tokenizer.json", [&] { return load(root, config_json, generation); });
}

}  // namespace loam
