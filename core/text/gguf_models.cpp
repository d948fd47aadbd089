// One loader for each tokenizer.ggml.model: what the word stands for, in the words of tokenizer.json.
#include "core/error.h"
#include "core/text/base64.h"
#include "core/text/gguf_pre.h"
#include "core/text/gguf_vocabulary.h"

namespace loam {
namespace {

Json metaspace_decoder(bool strip) {
  Json decoder =
      json_sequence("decoders", {json_replace(kMetaspace, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (strip) decoder["decoders"].push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return decoder;
}

Json unknown_name(const GgufVocabulary& vocabulary, int32_t unk) {
  return unk < 0 ? Json() : Json(vocabulary.tokens()[size_t(unk)]);
}

TokenizerSpec load_merged(const GgufVocabulary& vocabulary, const GgufPre& pre) {
  TokenizerSpecBuilder builder;
  vocabulary.add_tokens(builder);
  vocabulary.add_merges(builder);
  const bool bytes = pre.spaces == GgufPre::as_bytes;
  const TokenizerSpec head = vocabulary.special({.add_bos = pre.add_bos});
  Json model = {{"type", "BPE"}, {"ignore_merges", pre.ignore_merges}};
  if (!bytes)
    model.update({{"byte_fallback", true}, {"fuse_unk", true}, {"unk_token", unknown_name(vocabulary, head.unk)}});
  Json decoder = metaspace_decoder(false), normalizer = pre.normalizer();
  if (bytes)
    decoder = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  if (pre.spaces == GgufPre::dropped && vocabulary.flag("normalizer.lowercase", false))
    normalizer = {{"type", "Lowercase"}};
  return finish_gguf(builder, head, {normalizer, pre.pre_tokenizer(), model, decoder});
}

// The map of characters as tokenizer.json has it; null where there is none.
Json charsmap_of(const GgufVocabulary& vocabulary) {
  const MetaValue* map = vocabulary.find("precompiled_charsmap");
  if (!map) return {};
  const auto* values = std::get_if<std::vector<int64_t>>(map);
  if (!values) fail(Code::bad_file, "GGUF: tokenizer.ggml.precompiled_charsmap is not a list of bytes");
  std::string bytes;
  for (const int64_t value : *values) bytes += char(value);
  return bytes.empty() ? Json() : Json(encode_base64(bytes));
}

// The piece as WordPiece has it. GGUF marks the beginning of words instead of their continuations.
std::string word_piece(const std::string& token, bool special) {
  if (special || (token.size() > 2 && token.front() == '[' && token.back() == ']')) return token;
  const bool begins = token.starts_with(kMetaspace) && token.size() > kMetaspace.size();
  return begins ? token.substr(kMetaspace.size()) : "##" + token;
}

}  // namespace

// Byte-level BPE with ranked merges.
TokenizerSpec load_gguf_gpt2(const GgufVocabulary& vocabulary, std::string_view pre) {
  return load_merged(vocabulary, find_gguf_pre(pre));
}

// Words between spaces, as they are.
TokenizerSpec load_gguf_whitespace(const GgufVocabulary& vocabulary, std::string_view) {
  return load_merged(vocabulary, find_gguf_pre("whitespace"));
}

// BPE with ranked merges on UTF-8, bytes for what the vocabulary lacks. The file's `pre` says nothing.
TokenizerSpec load_gguf_gemma4(const GgufVocabulary& vocabulary, std::string_view) {
  return load_merged(vocabulary, find_gguf_pre("gemma4"));
}

// SentencePiece: merges by score, bytes for what the vocabulary lacks.
TokenizerSpec load_gguf_llama(const GgufVocabulary& vocabulary, std::string_view) {
  TokenizerSpecBuilder builder;
  vocabulary.add_tokens(builder);
  std::vector<float> scores = vocabulary.scores();
  scores.resize(vocabulary.tokens().size());  // without scores all merges rank the same, the leftmost first
  for (const float score : scores) builder.add_score(score);
  TokenizerSpec head = vocabulary.special({.bos = 1, .eos = 2, .unk = 0, .add_bos = true});
  head.add_space_prefix = vocabulary.flag("add_space_prefix", true);
  Json normalizer = json_replace(" ", kMetaspace);
  if (head.add_space_prefix) {
    normalizer =
        json_sequence("normalizers", {{{"type", "Prepend"}, {"prepend", std::string(kMetaspace)}}, normalizer});
  }
  const Json model = {{"type", "ScoredBPE"}, {"byte_fallback", true}, {"fuse_unk", true}};
  const bool strip = head.add_space_prefix;
  return finish_gguf(builder, std::move(head), {normalizer, Json(), model, metaspace_decoder(strip)});
}

// SentencePiece's Unigram.
TokenizerSpec load_gguf_t5(const GgufVocabulary& vocabulary, std::string_view) {
  TokenizerSpecBuilder builder;
  vocabulary.add_tokens(builder);
  const std::vector<float> scores = vocabulary.scores();
  if (scores.empty()) fail(Code::bad_file, "GGUF: a vocabulary of the model 't5' without tokenizer.ggml.scores");
  for (const float score : scores) builder.add_score(score);
  TokenizerSpec head = vocabulary.special({.eos = 1, .unk = 2, .pad = 0, .add_eos = true});
  if (head.unk < 0) fail(Code::bad_file, "GGUF: a vocabulary of the model 't5' without an unknown token");
  head.add_space_prefix = vocabulary.flag("add_space_prefix", false);
  const bool extra = vocabulary.flag("remove_extra_whitespaces", false), prefix = head.add_space_prefix;
  const Json normalizer = {{"type", "SentencePiece"},
                           {"precompiled_charsmap", charsmap_of(vocabulary)},
                           {"prepend_scheme", prefix ? "always" : "never"},
                           {"remove_extra_whitespaces", extra}};
  const Json model = {{"type", "ScoredUnigram"}, {"unk_id", head.unk}, {"byte_fallback", false}};
  return finish_gguf(builder, std::move(head), {normalizer, Json(), model, metaspace_decoder(prefix || extra)});
}

// WordPiece.
TokenizerSpec load_gguf_bert(const GgufVocabulary& vocabulary, std::string_view) {
  TokenizerSpecBuilder builder;
  const auto& tokens = vocabulary.tokens();
  for (size_t i = 0; i < tokens.size(); ++i) {
    const TokenKind kind = vocabulary.kind(i);
    const uint8_t flags = vocabulary.flags(i, kind);
    builder.add(word_piece(tokens[i], flags & TokenFlags::special), kind, flags);
  }
  TokenizerSpec head = vocabulary.special({.bos = 101, .unk = 100, .pad = 0});
  head.bos = vocabulary.id("cls_token_id", head.bos);
  head.eos = vocabulary.id("seperator_token_id", 102);  // the key is spelt so
  head.add_bos = head.bos >= 0, head.add_eos = head.eos >= 0;
  if (head.unk < 0) fail(Code::bad_file, "GGUF: a vocabulary of the model 'bert' without an unknown token");
  const bool lowercase = vocabulary.flag("normalizer.lowercase", true);
  const Json normalizer = {{"type", "BertNormalizer"},
                           {"clean_text", true},
                           {"handle_chinese_chars", true},
                           {"strip_accents", vocabulary.flag("normalizer.strip_accents", lowercase)},
                           {"lowercase", lowercase}};
  const Json model = {{"type", "WordPiece"},
                      {"unk_token", unknown_name(vocabulary, head.unk)},
                      {"continuing_subword_prefix", "##"},
                      {"max_input_chars_per_word", 100}};
  return finish_gguf(builder, std::move(head),
                     {normalizer,
                      {{"type", "BertPreTokenizer"}},
                      model,
                      {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}});
}

}  // namespace loam
