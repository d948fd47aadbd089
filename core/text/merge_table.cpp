// Building of MergeTable.
#include "core/text/merge_table.h"

#include <bit>
#include <new>

namespace loam {

MergeTable::MergeTable(std::span<const uint32_t> triples) : triples_(triples) {
  const size_t count = triples.size() / 3;
  const size_t slots = std::bit_ceil(count + count / 2 + 2);
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
  slots_.reset(static_cast<Slot*>(std::calloc(slots, sizeof(Slot))));
  if (!slots_) throw std::bad_alloc();
  constexpr size_t kAhead = 16;  // places to fetch in advance: nearly all of them miss the cache
  const auto hash_of = [&](size_t i) { return hash(triples[3 * i], triples[3 * i + 1]); };
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(slots_.get() + (hash_of(i + kAhead) >> shift_), 1);
    const uint64_t h = hash_of(i);
    const auto other_pair = [&](const Slot& slot) {
      if (slot.tag != uint32_t(h)) return true;
      const size_t there = 3 * size_t(slot.next - 1);
      return triples[there] != triples[3 * i] || triples[there + 1] != triples[3 * i + 1];
    };
    size_t at = h >> shift_;
    while (slots_.get()[at].next && other_pair(slots_.get()[at])) at = (at + 1) & mask_;
    slots_.get()[at] = {uint32_t(h), uint32_t(i + 1)};
  }
}

}  // namespace loam
