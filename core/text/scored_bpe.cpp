// Byte-pair encoding by the scores of the results, as SentencePiece has it, and tiktoken, whose ranks are such scores:
// any two neighbours merge whose joined text is a token. User-defined tokens of the text neither merge nor break up.
#include <bit>
#include <memory>

#include "core/error.h"
#include "core/text/bpe.h"
#include "core/text/prefix_trie.h"
#include "core/text/word_cuts.h"

namespace loam {
namespace {

// Higher scores first: a float as an integer that ascends as the float descends.
uint32_t score_rank(float score) {
  const uint32_t bits = std::bit_cast<uint32_t>(score == 0 ? 0.f : score);
  const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

class ScoredBpe {
 public:
  ScoredBpe(const BpeOptions& options, const TokenizerSpec& spec, const Vocabulary& vocabulary)
      : spec_(spec),
        vocabulary_(vocabulary),
        options_(options),
        characters_(spec, vocabulary),
        bytes_(options.byte_fallback, spec, vocabulary) {
    std::vector<PrefixTrie::Entry> fixed;
    for (size_t id = 0; id < spec.size(); ++id) {
      if (spec.kind(id) != TokenKind::user_defined || spec.has_flag(id, TokenFlags::added)) continue;
      if (!spec.token(id).empty()) fixed.push_back({spec.token(id), int32_t(id)});
    }
    fixed_ = PrefixTrie(fixed);
    has_fixed_ = !fixed.empty();
  }

  void encode(std::string_view word, ModelScratch& s, std::vector<int32_t>& out) const {
    check_word_size(word);
    start(word, s);
    merge_symbols(
        s.first.size(), [&](size_t i) { return s.first[i]; },
        [&](const Symbol& l, const Symbol& r) { return merge(word, s.offsets, l, r); }, s.merging);
    bool last_unknown = false;
    for (const Symbol& token : s.merging.tokens) {
      const std::string_view text = text_of(word, s.offsets, token.begin, token.end);
      bool unknown = false;
      if (token.id >= 0 || token.id < kUnknown) {
        out.push_back(token.id >= 0 ? token.id : kUnknown - 1 - token.id);
      } else if (bytes_.complete(text)) {
        for (const char c : text) out.push_back(bytes_[c]);
      } else if (options_.unk >= 0) {
        unknown = true;
        if (!last_unknown || !options_.fuse_unk) out.push_back(options_.unk);
      }
      last_unknown = unknown;
    }
  }

 private:
  static constexpr int32_t kUnknown = -1;  // below it: fixed tokens, as kUnknown - 1 - id

  static std::string_view text_of(std::string_view word, const std::vector<uint32_t>& offsets, uint32_t begin,
                                  uint32_t end) {
    return word.substr(offsets[begin], offsets[end] - offsets[begin]);
  }
  Merge merge(std::string_view word, const std::vector<uint32_t>& offsets, const Symbol& l, const Symbol& r) const {
    if (l.id < kUnknown || r.id < kUnknown) return {0, -1};
    const int32_t id = vocabulary_.find(text_of(word, offsets, l.begin, r.end));
    if (id < 0) return {0, -1};
    const TokenKind kind = spec_.kind(size_t(id));
    const bool merges = kind == TokenKind::normal || (kind == TokenKind::user_defined && has_fixed_);
    return {merges ? score_rank(spec_.scores[size_t(id)]) : 0, merges ? id : -1};
  }
  // The end of the longest fixed token at `at`, or `at`.
  size_t find_fixed(std::string_view word, size_t at, int32_t& id) const {
    int32_t node = PrefixTrie::kRoot;
    size_t end = at;
    for (size_t i = at; i < word.size();) {
      node = fixed_.child(node, uint8_t(word[i++]));
      if (node < 0) break;
      if (fixed_.value(node) >= 0) id = fixed_.value(node), end = i;
    }
    return end;
  }
  void start(std::string_view word, ModelScratch& s) const {
    s.first.clear(), s.offsets.clear();
    for (size_t at = 0; at < word.size();) {
      s.offsets.push_back(uint32_t(at));
      int32_t id = -1;
      if (const size_t end = has_fixed_ ? find_fixed(word, at, id) : at; end > at) {
        s.first.push_back(kUnknown - 1 - id);
        at = end;
        continue;
      }
      const Char c = decode_utf8(word, at);
      id = characters_.find(c, word.substr(at, c.bytes));
      s.first.push_back(id >= 0 && is_text(spec_.kind(size_t(id))) ? id : kUnknown);
      at += c.bytes;
    }
    s.offsets.push_back(uint32_t(word.size()));
  }
  static bool is_text(TokenKind kind) { return kind == TokenKind::normal || kind == TokenKind::user_defined; }

  const TokenizerSpec& spec_;
  const Vocabulary& vocabulary_;
  BpeOptions options_;
  CharacterIds characters_;
  ByteTokens bytes_;
  PrefixTrie fixed_;
  bool has_fixed_ = false;
};

}  // namespace

TokenModel make_scored_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const BpeOptions options = read_bpe_options(step, spec, vocabulary);
  if (spec.scores.empty()) fail(Code::bad_file, "tokenizer: a score-based model without scores");
  const auto bpe = std::make_shared<const ScoredBpe>(options, spec, vocabulary);
  if (options.ignore_merges) {
    return with_cache([bpe, &spec, &vocabulary](std::string_view word, ModelScratch& s, std::vector<int32_t>& out) {
      const int32_t whole = find_own(spec, vocabulary, word);
      if (whole >= 0 && spec.kind(size_t(whole)) == TokenKind::normal) return out.push_back(whole);
      bpe->encode(word, s, out);
    });
  }
  const TokenModel encode = with_cache(
      [bpe](std::string_view word, ModelScratch& s, std::vector<int32_t>& out) { bpe->encode(word, s, out); });
  const WordCuts cuts(spec, find_own(spec, vocabulary, kMetaspace) >= 0);
  return [encode, cuts](std::string_view text, ModelScratch& s, std::vector<int32_t>& out) {
    cuts.cut(text, [&](std::string_view word) { encode(word, s, out); });
  };
}

}  // namespace loam
