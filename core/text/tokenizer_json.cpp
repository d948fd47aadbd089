// tokenizer.json: vocabulary and merges become arrays, the steps stay JSON.
#include "core/text/tokenizer_json.h"

#include <algorithm>

#include "core/text/end_tokens.h"
#include "core/text/gguf_vocabulary.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_config.h"
#include "core/text/tokenizer_json_reader.h"
#include "core/text/vocabulary.h"

namespace loam {
namespace {

struct Entry {
  std::string_view text;
  TokenKind kind = TokenKind::unused;
  uint8_t flags = 0;
  double score = 0;
};

Entry& entry_at(std::vector<Entry>& entries, int64_t id) {
  if (id < 0 || id > int64_t(entries.size() + kMostUnused)) {
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
  const Json* const added = root.find("added_tokens");
  if (!added || added->is_null()) return;
  if (!added->is_array()) fail(Code::bad_file, "tokenizer.json: added_tokens is not a list");
  for (const Json& token : *added) {
    const Json* const content = token.find("content");
    if (!content || !content->is_string()) fail(Code::bad_file, "tokenizer.json: an added token has no content");
    uint8_t flags = added_token_flags(token);
    const Json id = token.value("id", Json());
    Entry& e = entry_at(entries, id.is_number_integer() ? id.get<int64_t>() : -1);
    const std::string& text = content->text();
    if (e.kind == TokenKind::unused || e.text != text) flags |= TokenFlags::outside;
    e = {text, added_token_kind(flags), flags, e.score};
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

Json pipeline_of(const TokenizerJsonParts& parts) {
  Json pipeline = Json::object();
  for (const char* step : {"normalizer", "pre_tokenizer", "decoder"}) pipeline[step] = parts.root.value(step, Json());
  Json& model = pipeline["model"] = parts.root["model"];
  if (string_field(model, "type").empty()) model["type"] = guess_type(parts);
  return pipeline;
}

// Classes of transformers that put bos and eos as tokenizer_config.json says, whatever tokenizer.json has.
constexpr const char* kConfigured[] = {"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"};

Json post_processor_of(const Json& root, const TokenizerConfig& config, const TokenizerSpec& spec) {
  const auto bos = config.flag("add_bos_token"), eos = config.flag("add_eos_token");
  const std::string name = config.class_name();
  const bool configured =
      std::any_of(std::begin(kConfigured), std::end(kConfigured), [&](const char* row) { return name == row; });
  if (!configured || (!bos && !eos)) return root.value("post_processor", Json());
  return json_template(bos.value_or(true) ? spec.bos : -1, eos.value_or(false) ? spec.eos : -1);
}

void describe_pipeline(const Json& post_processor, TokenizerSpec& spec) {
  const Special special = make_post_processor(post_processor, spec);
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

LoadedTokenizer load(const TokenizerJsonParts& parts, const TokenizerConfig& config) {
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
  const Vocabulary& vocabulary = builder.vocabulary();
  read_merges(parts, vocabulary, builder);
  LoadedTokenizer out;
  out.spec = builder.finish({});
  config.read_special(vocabulary, out.spec);
  if (out.spec.unk < 0) out.spec.unk = unk_of(root["model"], vocabulary, out.spec.size());
  Json pipeline = pipeline_of(parts);
  pipeline["post_processor"] = post_processor_of(root, config, out.spec);
  out.spec.pipeline = pipeline.dump();
  describe_pipeline(pipeline["post_processor"], out.spec);
  out.chat_template = config.chat_template();
  out.spec.check();
  return out;
}

}  // namespace

LoadedTokenizer tokenizer_from_json(std::string_view tokenizer_json, std::string_view config,
                                    std::string_view generation_config) {
  return with_json_errors("tokenizer.json", [&] {
    return load(read_tokenizer_json(tokenizer_json), TokenizerConfig(config, generation_config));
  });
}

}  // namespace loam
