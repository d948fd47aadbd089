// Token text -> id: open addressing over the texts of a TokenizerSpec, which it borrows.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace loam {

class Vocabulary {
 public:
  explicit Vocabulary(const TokenizerSpec& spec);
  // The lowest id with this text; -1: none. Empty and unused tokens have no text.
  int32_t find(std::string_view text) const;

 private:
  const TokenizerSpec* spec_;
  std::vector<int32_t> slots_;  // id or -1; a power of two of them, at most half full
  size_t mask_;
};

}  // namespace loam
