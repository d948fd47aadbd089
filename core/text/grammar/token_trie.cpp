#include "core/text/grammar/token_trie.h"

#include <algorithm>
#include <array>

#include "core/text/grammar/automaton.h"
#include "core/text/text_order.h"
#include "core/text/tokenizer.h"

namespace loam {

TokenTrie::TokenTrie(std::span<const Token> tokens) { build(tokens); }

TokenTrie::TokenTrie(const Tokenizer& tokenizer, size_t vocab) {
  std::vector<Token> tokens(std::max(vocab, tokenizer.size()));
  for (size_t i = 0; i < tokens.size(); ++i) {
    Token& t = tokens[i];
    t.nameable = false;
    if (i >= tokenizer.size()) continue;
    const auto id = int32_t(i);
    const TokenKind kind = tokenizer.spec().kind(i);
    t.is_end = tokenizer.is_end(id);
    t.nameable = !t.is_end && kind != TokenKind::unused && !tokenizer.token(id).empty();
    const bool plain = kind == TokenKind::normal || kind == TokenKind::byte || kind == TokenKind::user_defined;
    if (plain && !t.is_end && !tokenizer.is_special(id)) t.bytes = tokenizer.piece(id);
  }
  build(tokens);
}

void TokenTrie::build(std::span<const Token> tokens) {
  vocab_ = tokens.size();
  flags_.resize(vocab_);
  offsets_.push_back(0);
  std::vector<int32_t> unsorted;
  for (size_t i = 0; i < vocab_; ++i) {
    const Token& t = tokens[i];
    flags_[i] = uint8_t((t.is_end ? 1 : 0) | (t.nameable && !t.is_end ? 2 : 0));
    if (t.is_end) ends_.push_back(int32_t(i));
    if (!t.is_end) text_ += t.bytes;
    offsets_.push_back(uint32_t(text_.size()));
    if (offsets_[i] == offsets_[i + 1]) continue;
    (t.bytes.size() > Automaton::kLongestToken ? long_ : unsorted).push_back(int32_t(i));
  }
  std::vector<std::string_view> texts;
  for (const int32_t token : unsorted) texts.push_back(bytes(token));
  for (const uint32_t place : order_by_bytes(texts)) sorted_.push_back(unsorted[place]);
  nodes_.push_back({0, 0, 0, 0});
  std::array<uint32_t, Automaton::kLongestToken + 1> path{};  // the node of each depth
  std::string_view last;
  const auto leave = [&](size_t depth) {
    for (size_t d = last.size(); d > depth; --d) nodes_[path[d]].end = uint32_t(nodes_.size());
  };
  for (size_t i = 0; i < sorted_.size(); ++i) {
    const std::string_view text = bytes(sorted_[i]);
    const auto common = size_t(std::mismatch(text.begin(), text.end(), last.begin(), last.end()).first - text.begin());
    leave(common);
    for (size_t d = common; d < text.size(); ++d) {
      path[d + 1] = uint32_t(nodes_.size());
      nodes_.push_back({0, uint32_t(i), uint8_t(text[d]), uint8_t(d + 1)});
    }
    last = text;
  }
  leave(0);
  nodes_[0].end = uint32_t(nodes_.size());
  nodes_.push_back({0, uint32_t(sorted_.size()), 0, 0});
}

}  // namespace loam
