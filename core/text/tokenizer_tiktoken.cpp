// Ranks become scores: the lower the rank of the joined bytes, the earlier two neighbours merge.
#include "core/text/tokenizer_tiktoken.h"

#include <algorithm>
#include <charconv>

#include "core/text/charsmap.h"
#include "core/text/gguf_pre.h"
#include "core/text/gguf_vocabulary.h"
#include "core/text/json.h"
#include "core/text/tiktoken_families.h"
#include "core/text/tokenizer_config.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

constexpr size_t kMostRanks = 1 << 24;  // so that scores are exact as floats

using Ranks = std::vector<std::string>;  // bytes by rank; empty: no token

void set_rank(Ranks& ranks, size_t rank, std::string&& bytes) {
  if (rank >= kMostRanks || rank > ranks.size() + kMostUnused) fail(Code::bad_file, "tiktoken: the rank %zu", rank);
  if (bytes.empty()) fail(Code::bad_file, "tiktoken: rank %zu has no bytes", rank);
  if (rank >= ranks.size()) ranks.resize(rank + 1);
  if (!ranks[rank].empty()) fail(Code::bad_file, "tiktoken: two tokens have the rank %zu", rank);
  ranks[rank] = std::move(bytes);
}

// One line; false: it is not "base64 rank".
bool parse_line(std::string_view line, std::string& bytes, size_t& rank) {
  const size_t space = line.find(' ');
  if (space == line.npos || space == 0 || !decode_base64(line.substr(0, space), bytes)) return false;
  const char* end = line.data() + line.size();
  const auto [at, error] = std::from_chars(line.data() + space + 1, end, rank);
  return error == std::errc() && at == end;
}

std::string_view next_line(std::string_view text, size_t& at) {
  const size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at = end + 1;
  return line;
}

Ranks read_ranks(std::string_view text) {
  Ranks ranks;
  size_t number = 0, rank = 0;
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = next_line(text, at);
    ++number;
    std::string bytes;
    if (line.empty()) continue;
    if (!parse_line(line, bytes, rank)) fail(Code::bad_file, "tiktoken: line %zu is not \"base64 rank\"", number);
    set_rank(ranks, rank, std::move(bytes));
  }
  return ranks;
}

// In GPT-2's byte alphabet, as all byte-level vocabularies.
void add_ranks(const Ranks& ranks, TokenizerSpecBuilder& builder) {
  bool single[256] = {};
  std::string text;
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    text.clear();
    for (const char c : ranks[rank]) append_utf8(text, byte_to_char()[uint8_t(c)]);
    if (ranks[rank].size() == 1) single[uint8_t(ranks[rank][0])] = true;
    builder.add(text, text.empty() ? TokenKind::unused : TokenKind::normal);
    builder.add_score(-double(rank));
  }
  const auto* missing = std::find(std::begin(single), std::end(single), false);
  if (missing != std::end(single)) {
    fail(Code::bad_file, "tiktoken: the byte %d has no rank of its own", int(missing - std::begin(single)));
  }
}

const Json& model_json() {
  static const Json json = {{"type", "ScoredBPE"}, {"ignore_merges", true}};
  return json;
}

LoadedTokenizer finish(TokenizerSpecBuilder& builder, const TokenizerConfig& config, const char* bos, const char* eos,
                       bool add_bos, const Json& normalizer, const Json& pre_tokenizer) {
  const TokenizerSpec plain = builder.finish({});
  const Vocabulary vocabulary(plain);
  TokenizerSpec head = plain;
  head.bos = bos ? vocabulary.find(bos) : -1, head.eos = eos ? vocabulary.find(eos) : -1;
  config.read_special(vocabulary, head);
  head.add_bos = config.flag("add_bos_token").value_or(add_bos) && head.bos >= 0;
  head.add_eos = config.flag("add_eos_token").value_or(false) && head.eos >= 0;
  const Json decoder = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  LoadedTokenizer out;
  out.spec = finish_gguf(builder, std::move(head), {normalizer, pre_tokenizer, model_json(), decoder});
  out.chat_template = config.chat_template();
  return out;
}

const TiktokenFamily& family_of(size_t ranks, std::string_view pre) {
  for (const TiktokenFamily& family : tiktoken_families()) {
    if (family.ranks == ranks) return family;
  }
  static const TiktokenFamily none{};
  if (!pre.empty()) return none;
  fail(Code::unsupported,
       "tiktoken: no family of vocabularies known here has %zu ranks, and the file does not tell how to split text; "
       "choose with --pre: %s",
       ranks, gguf_pre_names().c_str());
}

void add_family_tokens(const TiktokenFamily& family, TokenizerSpecBuilder& builder) {
  for (const TiktokenFamily::Special& s : family.special) {
    for (int i = 0; i < std::max(s.count, 1); ++i) {
      const bool numbered = s.count && *s.text;
      const std::string text = numbered ? s.text + std::to_string(s.from + i) + "|>" : std::string(s.text);
      const bool gap = text.empty();
      const uint8_t flags = TokenFlags::added | TokenFlags::special | TokenFlags::outside;
      builder.add(text, gap ? TokenKind::unused : TokenKind::control, gap ? 0 : flags);
      builder.add_score(0);
    }
  }
}

LoadedTokenizer load_tiktoken(std::string_view text, const TokenizerConfig& config, std::string_view pre) {
  const Ranks ranks = read_ranks(text);
  const TiktokenFamily& family = family_of(ranks.size(), pre);
  const GgufPre& steps = find_gguf_pre(pre.empty() ? std::string_view(family.pre) : pre);
  TokenizerSpecBuilder builder;
  add_ranks(ranks, builder);
  const auto added = config.added_tokens();
  if (added.empty())
    add_family_tokens(family, builder);
  else
    add_tokens(added, true, builder);
  return finish(builder, config, family.bos, family.eos, steps.add_bos, steps.normalizer(), steps.pre_tokenizer());
}

// A number of `object`; fails if it is not there or above `most`.
size_t count_field(const Json& object, const char* name, size_t most) {
  const Json* const it = object.find(name);
  if (!it || !it->is_number_unsigned() || it->get<uint64_t>() > most) {
    fail(Code::bad_file, "tekken.json: '%s' is missing or too large", name);
  }
  return it->get<size_t>();
}

void add_tekken_special(const Json& root, size_t count, TokenizerSpecBuilder& builder) {
  constexpr const char* kDefault[] = {"<unk>",
                                      "<s>",
                                      "</s>",
                                      "[INST]",
                                      "[/INST]",
                                      "[AVAILABLE_TOOLS]",
                                      "[/AVAILABLE_TOOLS]",
                                      "[TOOL_RESULTS]",
                                      "[/TOOL_RESULTS]",
                                      "[TOOL_CALLS]",
                                      "[IMG]",
                                      "<pad>",
                                      "[IMG_BREAK]",
                                      "[IMG_END]",
                                      "[PREFIX]",
                                      "[MIDDLE]",
                                      "[SUFFIX]",
                                      "[SYSTEM_PROMPT]",
                                      "[/SYSTEM_PROMPT]",
                                      "[TOOL_CONTENT]"};
  std::vector<std::string> texts(count);
  size_t named = 0;
  if (const Json* list = root.find("special_tokens"); list && list->is_array()) {
    for (const Json& token : *list) {
      const size_t rank = count_field(token, "rank", count ? count - 1 : 0);
      texts.at(rank) = string_field(token, "token_str");
      ++named;
    }
  } else {
    for (const char* text : kDefault) {
      if (named < count) texts[named++] = text;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string text = texts[i].empty() ? "<SPECIAL_" + std::to_string(i) + ">" : texts[i];
    builder.add(text, TokenKind::control, TokenFlags::added | TokenFlags::special | TokenFlags::outside);
    builder.add_score(0);
  }
}

LoadedTokenizer load_tekken(std::string_view text, const TokenizerConfig& config) {
  const Json root = parse_json(text, "tekken.json");
  const Json settings = root.value("config", Json::object()), tokens = root.value("vocab", Json::array());
  const size_t special = count_field(settings, "default_num_special_tokens", kMostUnused);
  const size_t size = count_field(settings, "default_vocab_size", kMostRanks);
  const std::string pattern = string_field(settings, "pattern");
  if (pattern.empty() || size < special)
    fail(Code::bad_file, "tekken.json: no pattern or more special tokens than all");
  Ranks ranks;
  for (const Json& token : tokens) {
    const size_t rank = count_field(token, "rank", kMostRanks);
    if (rank >= size - special) continue;  // the file has more than the model uses
    std::string bytes;
    if (!decode_base64(string_field(token, "token_bytes"), bytes)) {
      fail(Code::bad_file, "tekken.json: the bytes of rank %zu are not base64", rank);
    }
    set_rank(ranks, rank, std::move(bytes));
  }
  TokenizerSpecBuilder builder;
  add_tekken_special(root, special, builder);
  add_ranks(ranks, builder);
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  return finish(builder, config, "<s>", "</s>", true, Json(), json_sequence("pretokenizers", {split, bytes}));
}

}  // namespace

bool looks_like_tiktoken(std::string_view text) {
  size_t at = 0, rank = 0;
  std::string bytes;
  return parse_line(next_line(text.substr(0, 4096), at), bytes, rank);
}

LoadedTokenizer tokenizer_from_tiktoken(std::string_view ranks, std::string_view config,
                                        std::string_view generation_config, std::string_view pre) {
  return with_json_errors("tokenizer",
                          [&] { return load_tiktoken(ranks, TokenizerConfig(config, generation_config), pre); });
}

LoadedTokenizer tokenizer_from_tekken(std::string_view json, std::string_view config,
                                      std::string_view generation_config) {
  return with_json_errors("tekken.json", [&] { return load_tekken(json, TokenizerConfig(config, generation_config)); });
}

}  // namespace loam
