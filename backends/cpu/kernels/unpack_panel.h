// Row blocks into panels: of integers for dots, of floats for the float policy, plain weights and embeddings.
#pragma once
#include "backends/cpu/kernels/unpack.h"

namespace loam::cpu::ISA {
namespace {

// How the rows of a matrix are unpacked and accumulated: chosen once per call from the type's row.
struct Recipe {
  UnpackCodes unpack;
  int zero;        // what dots subtract from every panel byte: kPanelBias or nothing where that is a constant
  bool is_signed;  // panel bytes are signed (where the instruction set cares)
  bool needs_s, needs_m;
  CodeArgs codes;  // all that does not change
  int tables() const { return codes.shape.tables; }
};

LOAM_INLINE Recipe make_recipe(const MatrixPlan& p) {
  const TypeInfo& type = p.type;
  Recipe r{};
  const Shape shape = shape_of(type);
  r.codes.shape = shape;
  if (r.tables() == kShiftedTable) r.codes.shift = type.tables[1][0] - type.tables[0][0];
  r.needs_s = type.s != IntFormat::none;
  r.needs_m = type.m != IntFormat::none;
  r.is_signed = shape.arithmetic != Arithmetic::code;
  r.zero = r.is_signed ? kPanelBias : type.zero;
  r.unpack = pick_unpack(shape);
  r.codes.zero = type.zero;
  r.codes.has_m = shape.grid && r.needs_m;  // otherwise m belongs to E
  r.codes.ahead_step = p.full.bytes / 8;
  r.codes.group_shift = p.group_shift;
  for (int t = 0; t < (r.tables() < kTwoTables ? r.tables() : 2); ++t) {
    for (int i = 0; i < 1 << type.bits; ++i) r.codes.tables[t][i] = type.tables[t][i];
  }
  return r;
}

LOAM_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// The floats of a segment's units: D * s and -E * m. row_d and row_e: of types with one D and E per row; null: 1.
LOAM_INLINE void unpack_units(const MatrixPlan& p, const Recipe& r, const SegmentLayout& l, const std::byte* segment,
                              SegmentScratch& parts, const float* row_d, const float* row_e, float* scales,
                              float* offsets) {
  const bool scaled = p.type.family == Family::scaled, has_s = scaled && r.needs_s, has_m = scaled && r.needs_m;
  if (!l.blocks && !has_s && !row_d) return;
  const uint32_t units = scaled && l.groups ? l.groups : l.blocks ? l.blocks : 1;
  const int shift = p.block_shift - p.unit_shift;
  const float *d = row_d, *e = row_e;
  if (units == l.blocks && !has_s && !p.has_e) return unpack_floats(p.type.d, segment + l.d, l.blocks, scales);
  if (l.blocks) {
    unpack_floats(p.type.d, segment + l.d, l.blocks, parts.d);
    unpack_floats(p.type.e, segment + l.e, l.blocks, parts.e);
    d = parts.d, e = parts.e;
  }
  for (uint32_t u = 0; u < units; ++u) {
    const uint32_t block = (u >> shift) * 16;
    F32x16 scale = d ? load(d + block) : splat(1.f);
    if (has_s) scale = scale * to_float(load(parts.s + u * 16));
    store(scales + u * 16, scale);
    if (!p.has_e) continue;
    F32x16 offset = load(e + block);
    if (has_m) offset = offset * to_float(load(parts.m + u * 16));
    store(offsets + u * 16, -offset);
  }
}

// Segment `i` of a record into a panel, at its k.
LOAM_INLINE void unpack_segment(const MatrixPlan& p, const Recipe& r, const std::byte* record, int64_t i, int64_t k,
                                Panel& panel, SegmentScratch& parts, const float* row_d, const float* row_e) {
  const SegmentLayout& l = uint32_t(i) < p.full_count ? p.full : p.last;
  const std::byte* segment = record + uint64_t(i) * p.full.bytes;
  if (r.needs_s) unpack_ints(p.type.s, segment + l.s, l.groups, parts.s, parts.t);
  if (r.needs_m) unpack_ints(p.type.m, segment + l.m, l.groups, parts.m, parts.t + 16 * 16);
  const int64_t unit = (k >> p.unit_shift) * 16;
  unpack_units(p, r, l, segment, parts, row_d, row_e, panel.scales + unit, panel.offsets + unit);
  CodeArgs codes = r.codes;
  codes.wide = reinterpret_cast<const uint8_t*>(segment);
  codes.narrow = codes.wide + l.codes_narrow;
  codes.n = l.n;
  codes.out = panel.codes + k * 16;
  codes.s = parts.s, codes.m = parts.m, codes.t = parts.t;
  r.unpack(codes);
}

// D and E of types with one per row.
struct RowFloats {
  alignas(64) float d[16], e[16];
};
LOAM_INLINE void unpack_row_floats(const MatrixPlan& p, const std::byte* record, float* d, float* e) {
  unpack_floats(p.type.d, record + p.row_d, 1, d);
  unpack_floats(p.type.e, record + p.row_e, 1, e);
}

// k0 (a multiple of 256) .. k0 + n of a row block.
void unpack_panel(const MatrixPlan& p, const Recipe& r, int64_t block, int64_t k0, int64_t n, Panel& panel,
                  SegmentScratch& parts) {
  const std::byte* record = p.data + uint64_t(block) * p.record_bytes;
  RowFloats row;
  const bool has_row = p.type.block == 0 && p.has_e;
  if (has_row) unpack_row_floats(p, record, row.d, row.e);
  for (int64_t k = 0; k < n; k += LOAM_SEGMENT_K) {
    unpack_segment(p, r, record, (k0 + k) / LOAM_SEGMENT_K, k, panel, parts, has_row ? row.d : nullptr, row.e);
  }
  finish_panel(r.is_signed, panel.codes, n, panel.starts);
}

// A segment's panel as floats [k][row]: the definition's products, in its order.
LOAM_INLINE void panel_to_floats(const MatrixPlan& p, const Recipe& r, const Panel& panel, int64_t n, float* out) {
  const bool sign_extends = r.is_signed && kPanelBias == 0;
  for (int64_t k = 0; k < n; k += 4) {
    const int64_t unit = (k >> p.unit_shift) * 16;
    const F32x16 scale = load(panel.scales + unit), offset = p.has_e ? load(panel.offsets + unit) : zero();
    const I32x16 bytes = as_ints(load_line(panel.codes + k * 16));
    UNROLL
    for (int j = 0; j < 4; ++j) {
      const I32x16 high = shift_left_bits(bytes, 24 - 8 * j);
      const I32x16 level = sign_extends ? shift_right<24>(high) : shift_right_bits(high, 24) - splat(int32_t(r.zero));
      F32x16 value = scale * to_float(level);
      if (p.has_e) value = value + offset;
      store(out + (k + j) * 16, value);
    }
  }
}

// Plain weights: lines of 16 rows x 1 or 2 k.
LOAM_INLINE void plain_to_floats(FloatFormat format, const std::byte* record, int64_t k0, int64_t n, float* out) {
  for (int64_t k = 0; k < n; ++k) {
    if (format == FloatFormat::f32) {
      store(out + k * 16, load(reinterpret_cast<const float*>(record) + (k0 + k) * 16));
      continue;
    }
    const I32x16 pairs = as_ints(load_line(record + (k0 + k) / 2 * 64));
    const I32x16 half = (k0 + k) % 2 ? shift_right_bits(pairs, 16) : pairs & splat(int32_t(0xffff));
    store(out + k * 16, format == FloatFormat::f16 ? low_halves_from_f16(half) : as_float(shift_left<16>(half)));
  }
}

// k0 (a multiple of 256) .. k0 + n of a row block as floats [k][row].
void unpack_float_panel(const MatrixPlan& p, const Recipe& r, int64_t block, int64_t k0, int64_t n,
                        ThreadScratch& scratch, float* out) {
  const std::byte* record = p.data + uint64_t(block) * p.record_bytes;
  if (p.type.family == Family::plain) return plain_to_floats(p.type.plain, record, k0, n, out);
  RowFloats row;
  const bool has_row = p.type.block == 0;
  if (has_row) unpack_row_floats(p, record, row.d, row.e);
  for (int64_t k = 0; k < n; k += LOAM_SEGMENT_K) {
    unpack_segment(p, r, record, (k0 + k) / LOAM_SEGMENT_K, 0, scratch.segment, scratch.parts,
                   has_row ? row.d : nullptr, row.e);
    panel_to_floats(p, r, scratch.segment, smaller(LOAM_SEGMENT_K, (n - k + 3) / 4 * 4), out + k * 16);
  }
}

}  // namespace
}  // namespace loam::cpu::ISA
