// Text <-> token ids. Immutable: threads may share one.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace loam {

struct EncodeOptions {
  bool add_special = true;    // what the post-processor adds: bos, eos
  bool parse_special = true;  // special tokens written in the text become their ids
};

class TokenTrie;

class Tokenizer {
 public:
  // Fails with bad_file or unsupported, naming the step that this version does not know.
  explicit Tokenizer(TokenizerSpec spec);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const;
  // The bytes that the ids stand for; not always whole UTF-8 sequences. Ids outside the vocabulary are an Error.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;
  // The bytes of one token in the middle of a text: what streaming appends (see Utf8Stream).
  std::string piece(int32_t id) const;

  bool is_end(int32_t id) const;  // ends an answer
  bool is_special(int32_t id) const;
  size_t size() const;
  int32_t find(std::string_view token_text) const;  // -1: none
  const TokenizerSpec& spec() const;
  std::string_view token(int32_t id) const;  // the text as the vocabulary has it; empty: none
  // The tree of its pieces, for a model with so many logits: made when it is first asked for, and kept.
  std::shared_ptr<const TokenTrie> token_trie(size_t vocab = 0) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace loam
