// (left, right) -> merge: open addressing, made from the merges of a TokenizerSpec.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "core/text/merging.h"

namespace loam {

class MergeTable {
 public:
  // (merges, 3) ids of left, right and result in rank order; the last of equal pairs counts.
  explicit MergeTable(std::span<const uint32_t> triples);

  Merge find(int32_t left, int32_t right) const {
    const uint64_t pair = key(left, right);
    for (size_t at = place(pair);; at = (at + 1) & mask_) {
      const Slot& slot = slots_.get()[at];
      if (slot.next == 0) return {0, -1};
      if (slot.pair == pair) return {slot.rank, int32_t(slot.next - 1)};
    }
  }

 private:
  struct Slot {
    uint64_t pair;
    uint32_t rank;
    uint32_t next;  // the result's id + 1; 0: empty, as calloc leaves it
  };
  struct Free {
    void operator()(Slot* p) const { std::free(p); }
  };
  static uint64_t key(int32_t left, int32_t right) { return uint64_t(uint32_t(left)) << 32 | uint32_t(right); }
  size_t place(uint64_t pair) const { return size_t(pair * 0x9e3779b97f4a7c15u >> shift_); }
  std::unique_ptr<Slot, Free> slots_;
  size_t mask_;
  int shift_;
};

}  // namespace loam
