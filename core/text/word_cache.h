// Remembers the tokens of short words during one call: natural text repeats most of its words.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace loam {

class WordCache {
 public:
  struct Slot {
    static constexpr size_t kBytes = 35, kIds = 6;
    uint8_t bytes, ids;  // 0 bytes: empty
    char text[kBytes + 3];
    int32_t id[kIds];
  };
  static_assert(sizeof(Slot) == 64);

  // The place of a word; null: it is too long, or the call is too short for a cache to pay.
  Slot* slot(std::string_view word);
  static bool holds(const Slot& s, std::string_view word) {
    return s.bytes == word.size() && std::memcmp(s.text, word.data(), word.size()) == 0;
  }
  static void store(Slot& s, std::string_view word, const int32_t* ids, size_t count);

 private:
  std::vector<Slot> slots_;
  size_t words_ = 0;
};

}  // namespace loam
