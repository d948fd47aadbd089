// Building of MergeTable.
#include "core/text/merge_table.h"

#include <bit>
#include <new>

namespace loam {

MergeTable::MergeTable(std::span<const uint32_t> triples) {
  const size_t count = triples.size() / 3;
  const size_t slots = std::bit_ceil(count + count / 2 + 2);
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
  slots_.reset(static_cast<Slot*>(std::calloc(slots, sizeof(Slot))));
  if (!slots_) throw std::bad_alloc();
  constexpr size_t kAhead = 16;  // places to fetch in advance: nearly all of them miss the cache
  const auto pair_of = [&](size_t i) { return key(int32_t(triples[3 * i]), int32_t(triples[3 * i + 1])); };
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(slots_.get() + place(pair_of(i + kAhead)), 1);
    const uint64_t pair = pair_of(i);
    size_t at = place(pair);
    while (slots_.get()[at].next && slots_.get()[at].pair != pair) at = (at + 1) & mask_;
    slots_.get()[at] = {pair, uint32_t(i), triples[3 * i + 2] + 1};
  }
}

}  // namespace loam
