// Where the parts of a record lie, derived from a type's row. Offsets are in bytes.
#pragma once
#include "core/types/float_bits.h"
#include "core/types/layout.h"
#include "core/types/type.h"

namespace loam {

constexpr int64_t padded_k(int64_t k) { return (k + kPadK - 1) / kPadK * kPadK; }
constexpr int64_t row_blocks(int64_t n) { return (n + kTileRows - 1) / kTileRows; }

// Bits per group and row of an encoding.
constexpr uint32_t int_format_bits(IntFormat f) {
  switch (f) {
    case IntFormat::none: return 0;
    case IntFormat::u4: return 4;
    case IntFormat::st5: return 5;
    case IntFormat::u6:
    case IntFormat::i6: return 6;
    case IntFormat::u8:
    case IntFormat::i8:
    case IntFormat::st8: return 8;
  }
  return 0;
}

// One segment of n k (a multiple of 32, at most 256): codes, s, m, then D and E where there is one per block.
struct SegmentLayout {
  uint32_t n, codes_narrow, s, m, d, e, bytes;  // the wide code plane lies at 0
  uint32_t groups, blocks;                      // in this segment; 0 where the type has none
};

constexpr uint32_t int_plane_bytes(IntFormat f, uint32_t count) {
  const uint32_t bits = int_format_bits(f), wide = layout::wide_bits(bits);
  return bits == 0 ? 0 : layout::group_plane_bytes(wide, count) + layout::group_plane_bytes(bits - wide, count);
}

constexpr SegmentLayout segment_layout(const TypeInfo& t, uint32_t n) {
  SegmentLayout l{};
  const uint32_t wide = layout::wide_bits(t.bits);
  l.n = n;
  l.groups = t.group ? (n + t.group - 1) / t.group : 0;
  l.blocks = t.block ? (n + t.block - 1) / t.block : 0;
  l.codes_narrow = layout::code_plane_bytes(wide, n);
  l.s = l.codes_narrow + layout::code_plane_bytes(t.bits - wide, n);
  l.m = l.s + int_plane_bytes(t.s, l.groups);
  l.d = l.m + int_plane_bytes(t.m, l.groups);
  l.e = l.d + l.blocks * 16 * uint32_t(float_format_bytes(t.d));
  l.bytes = l.e + l.blocks * 16 * uint32_t(float_format_bytes(t.e));
  return l;
}

// Whole lines are best for loads, but not where the padding would be felt (tensors of very few columns).
constexpr uint64_t padded_record(uint64_t bytes) {
  const uint64_t lines = (bytes + 63) / 64 * 64;
  return lines - bytes <= bytes / 64 ? lines : bytes;
}

// A whole record of k columns.
struct RecordLayout {
  SegmentLayout full, last;  // full: of 256 k; last: of what remains (last.n == 0 where nothing does)
  uint32_t full_count;
  uint64_t row_d, row_e;  // of types with one D and E per row
  uint64_t bytes;         // padded_record() of what is in it
};

constexpr RecordLayout record_layout(const TypeInfo& t, int64_t k) {
  RecordLayout r{};
  const int64_t kp = padded_k(k);
  if (t.family == Family::plain) {
    r.bytes = uint64_t(kp) * 16 * uint64_t(float_format_bytes(t.plain));
    return r;
  }
  r.full = segment_layout(t, LOAM_SEGMENT_K);
  r.full_count = uint32_t(kp / LOAM_SEGMENT_K);
  r.last = segment_layout(t, uint32_t(kp % LOAM_SEGMENT_K));
  r.row_d = uint64_t(r.full_count) * r.full.bytes + r.last.bytes;
  r.row_e = r.row_d + (t.block ? 0u : 16u * uint32_t(float_format_bytes(t.d)));
  r.bytes = r.row_e + (t.block ? 0u : 16u * uint32_t(float_format_bytes(t.e)));
  r.bytes = padded_record(r.bytes);
  return r;
}

}  // namespace loam
