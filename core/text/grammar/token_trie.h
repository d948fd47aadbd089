// The bytes of a vocabulary's tokens as a tree in one array, depth first. Immutable: constraints share one.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace loam {

class Tokenizer;

class TokenTrie {
 public:
  struct Node {
    uint32_t end;     // behind the last node below this one
    uint32_t tokens;  // where its tokens begin in the list; they end where those of the next node begin
    uint8_t byte, depth;
  };
  struct Token {
    std::string bytes;  // empty: never part of a text (controls the model, or has no text)
    bool is_end = false;
    bool nameable = true;  // a grammar may ask for it by name
  };

  explicit TokenTrie(std::span<const Token> tokens);
  // The pieces of a tokenizer; tokens that control the model have no bytes. `vocab`: how many logits the model has.
  explicit TokenTrie(const Tokenizer& tokenizer, size_t vocab = 0);

  size_t vocab() const { return vocab_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // the root first; one more ends the lists
  std::span<const int32_t> tokens(uint32_t node) const {
    return {sorted_.data() + nodes_[node].tokens, sorted_.data() + nodes_[node + 1].tokens};
  }
  const std::vector<int32_t>& long_tokens() const { return long_; }  // too long for the tree
  const std::vector<int32_t>& ends() const { return ends_; }
  std::string_view bytes(int32_t token) const {
    return std::string_view(text_).substr(offsets_[size_t(token)],
                                          offsets_[size_t(token) + 1] - offsets_[size_t(token)]);
  }
  bool is_end(int32_t token) const { return flags_[size_t(token)] & 1; }
  bool nameable(int32_t token) const { return flags_[size_t(token)] & 2; }

 private:
  void build(std::span<const Token> tokens);

  size_t vocab_ = 0;
  std::vector<Node> nodes_;
  std::vector<int32_t> sorted_, long_, ends_;
  std::string text_;
  std::vector<uint32_t> offsets_;
  std::vector<uint8_t> flags_;
};

}  // namespace loam
