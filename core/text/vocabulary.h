// Token text -> id: open addressing over the texts of a TokenizerSpec, which it borrows.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace loam {

class Vocabulary {
 public:
  explicit Vocabulary(const TokenizerSpec& spec);
  // The lowest id with this text; -1: none. Empty and unused tokens have no text.
  int32_t find(std::string_view text) const { return find(text, hash(text)); }
  // The same for many texts at once: the memory for several is on its way while one is looked up.
  void find(std::span<const std::string_view> texts, int32_t* ids) const;
  bool unique() const { return unique_; }  // no text occurs twice

 private:
  struct Slot {
    uint32_t tag = 0;  // a part of the hash, so that another text is seldom looked at
    int32_t id = -1;
  };
  static uint64_t hash(std::string_view text);
  int32_t find(std::string_view text, uint64_t hash) const;
  void insert(int32_t id, uint64_t hash);

  const TokenizerSpec* spec_;
  std::vector<Slot> slots_;  // a power of two, at most two thirds full
  size_t mask_;
  bool unique_ = true;
};

}  // namespace loam
