// Cuts added tokens (chat markers and the like) out of a text before the model sees it: leftmost, then longest.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"

namespace loam {

class AddedTokens {
 public:
  // Those with the flag `normalized` as asked; their texts go through `normalizer` first.
  AddedTokens(const TokenizerSpec& spec, bool normalized, const Normalizer& normalizer);

  struct Section {
    size_t begin, end;
    int32_t id;  // -1: ordinary text
  };
  // Special tokens are left in the text unless parse_special. Empty sections are dropped.
  std::vector<Section> cut(std::string_view text, bool parse_special) const;
  bool empty() const { return children_.empty(); }

 private:
  void add(std::string_view text, int32_t id);
  int32_t child(int32_t node, uint8_t byte) const;
  // The longest token at `at`; its end, or 0.
  size_t longest(std::string_view text, size_t at, int32_t& id) const;

  const TokenizerSpec* spec_;
  std::vector<int32_t> ids_{-1};                    // by node of the trie: token that ends there
  std::unordered_map<uint64_t, int32_t> children_;  // (node, byte) -> node
  bool starts_[256] = {};
};

}  // namespace loam
