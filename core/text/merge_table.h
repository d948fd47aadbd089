// (left, right) -> merge: open addressing over the merges of a TokenizerSpec, which it borrows.
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
    const uint64_t h = hash(uint32_t(left), uint32_t(right));
    for (size_t at = h >> shift_;; at = (at + 1) & mask_) {
      const Slot slot = slots_.get()[at];
      if (slot.next == 0) return {0, -1};
      if (slot.tag != uint32_t(h)) continue;
      const uint32_t* triple = triples_.data() + 3 * size_t(slot.next - 1);
      if (triple[0] == uint32_t(left) && triple[1] == uint32_t(right)) return {slot.next - 1, int32_t(triple[2])};
    }
  }

 private:
  struct Slot {
    uint32_t tag;   // of the pair's hash
    uint32_t next;  // the rank + 1; 0: empty, as calloc leaves it
  };
  struct Free {
    void operator()(Slot* p) const { std::free(p); }
  };
  static uint64_t hash(uint32_t left, uint32_t right) {
    const uint64_t mixed = (uint64_t(left) << 32 | right) * 0x9e3779b97f4a7c15u;
    return mixed ^ mixed >> 29;
  }
  std::span<const uint32_t> triples_;
  std::unique_ptr<Slot, Free> slots_;
  size_t mask_;
  int shift_;
};

}  // namespace loam
