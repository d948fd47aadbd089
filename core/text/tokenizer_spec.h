// A tokenizer as data: what tokenizer.json and GGUF vocabularies end in, and what the container stores as plain arrays
// and maps back without parsing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace loam {

class Vocabulary;

enum class TokenKind : uint8_t { normal = 0, control, user_defined, byte, unknown, unused };

// Bits of TokenizerSpec::flags. Tokens with `added` are cut out of the text before the model sees it; those with
// `outside` are not in the model's own vocabulary.
struct TokenFlags {
  static constexpr uint8_t added = 1, special = 2, lstrip = 4, rstrip = 8, single_word = 16, normalized = 32,
                           outside = 64;
};

// One array of a TokenizerSpec, as the container stores it (little-endian; 4-byte elements need 4-byte alignment).
struct TokenizerSection {
  // "pipeline", "text", "offsets", "scores", "fine_scores", "kinds", "flags", "merges", "order" or "special".
  std::string name;
  std::span<const std::byte> bytes;
};

// All spans are borrowed: from a mapping or from vectors that `storage` keeps alive.
struct TokenizerSpec {
  // JSON {normalizer, pre_tokenizer, model, post_processor, decoder} in the words of tokenizer.json, without
  // vocabulary; an absent step is null.
  std::string pipeline;
  std::span<const std::byte> text;      // texts of all tokens, joined
  std::span<const uint32_t> offsets;    // (vocab + 1), into text
  std::span<const float> scores;        // (vocab) for score-based merging and Unigram, or empty
  std::span<const double> fine_scores;  // (vocab) where floats are not exact, or empty
  std::span<const uint8_t> kinds;       // (vocab) TokenKind
  std::span<const uint8_t> flags;       // (vocab) TokenFlags
  std::span<const uint32_t> merges;     // (merges, 3) ids of left, right and result, in rank order; or empty
  std::span<const uint32_t> order;  // (vocab) ids in ascending order of their texts, where that saves time, or empty
  int32_t bos = -1, eos = -1, unk = -1, pad = -1;
  std::vector<int32_t> ends;  // every id that ends an answer, eos among them
  // What the pipeline does, for those who build prompts by hand; the pipeline itself is the truth.
  bool add_bos = false, add_eos = false, add_space_prefix = false;
  std::shared_ptr<const void> storage;
  std::shared_ptr<const Vocabulary> vocabulary;  // of these texts, where the builder was asked for one

  size_t size() const { return kinds.size(); }
  std::string_view token(size_t id) const {
    return {reinterpret_cast<const char*>(text.data()) + offsets[id], offsets[id + 1] - offsets[id]};
  }
  double score(size_t id) const { return fine_scores.empty() ? double(scores[id]) : fine_scores[id]; }
  TokenKind kind(size_t id) const { return TokenKind(kinds[id]); }
  bool has_flag(size_t id, uint8_t flag) const { return flags[id] & flag; }

  // The tokens as models add them to a trie: by `order` where there is one, else by id.
  size_t id_at(size_t place) const { return order.empty() ? place : order[place]; }

  // Fails with bad_file unless sizes agree, offsets ascend, and every id and kind is in range.
  void check() const;

  // The arrays to store, non-empty ones only. They point into *this and its storage, which must outlive them.
  std::vector<TokenizerSection> sections() const;
  // The reverse, checked; unknown section names are ignored. `keep` holds what the sections point into.
  static TokenizerSpec from_sections(std::span<const TokenizerSection> sections, std::shared_ptr<const void> keep);

 private:
  mutable std::shared_ptr<std::vector<int32_t>> special_;  // the "special" section, made by sections()
  mutable std::shared_ptr<std::vector<uint32_t>> order_;   // as well
};

// Collects a vocabulary and turns it into a spec that owns its arrays.
class TokenizerSpecBuilder {
 public:
  // Appends a token; returns its id.
  int32_t add(std::string_view token_text, TokenKind kind = TokenKind::normal, uint8_t flags = 0);
  void add_score(double score);  // of each token in turn, or of none
  void add_merge(uint32_t left, uint32_t right, uint32_t result) {
    arrays_->merges.insert(arrays_->merges.end(), {left, right, result});
  }
  void set_merges(std::vector<uint32_t> triples) { arrays_->merges = std::move(triples); }
  void set_kind(int32_t id, TokenKind kind) { arrays_->kinds[size_t(id)] = uint8_t(kind), vocabulary_.reset(); }
  void set_flags(int32_t id, uint8_t flags) { arrays_->flags[size_t(id)] = flags; }
  void reserve(size_t tokens, size_t text_bytes, size_t merges);
  size_t size() const { return arrays_->kinds.size(); }
  const Vocabulary& vocabulary();  // until a token is added or changed; made once, for the tokenizer too
  // The finished, checked spec. `head` brings pipeline, special ids and flags; its spans are replaced.
  TokenizerSpec finish(TokenizerSpec head);

 private:
  struct Arrays {
    std::string text;
    std::vector<uint32_t> offsets{0}, merges;
    std::vector<float> scores;
    std::vector<double> fine_scores;  // from the first score on that is no float, else empty
    std::vector<uint8_t> kinds, flags;
  };
  std::shared_ptr<Arrays> arrays_ = std::make_shared<Arrays>();
  std::shared_ptr<const Vocabulary> vocabulary_;
};

}  // namespace loam
