#include "formats/row_block.h"

#include <cstdlib>
#include <cstring>

#include "core/types/record.h"

namespace loam {
namespace {

constexpr uint32_t in_each_byte(uint32_t bits) { return ((1u << bits) - 1) * 0x01010101u; }

// One plane of `bits` bits taken from the codes at bit `from`: a 32-bit word is one row's 4 bytes of a line.
void pack_codes(uint32_t bits, uint32_t from, uint32_t n, const uint8_t* codes, int row, std::byte* plane) {
  const uint32_t step = 32 / bits, mask = in_each_byte(bits);
  std::byte* to = plane + row * 4;
  for (uint32_t k = 0; k < n; k += step, to += 64) {
    uint32_t line = 0;
    for (uint32_t i = 0; i < step / 4; ++i) {
      uint32_t four = 0;
      if (k + i * 4 < n) std::memcpy(&four, codes + k + i * 4, 4);
      line |= (four >> from & mask) << i * bits;
    }
    std::memcpy(to, &line, 4);
  }
}

uint32_t encode(IntFormat format, int value, uint32_t t) {
  const uint32_t magnitude = uint32_t(std::abs(value)), sign = value < 0 ? 1u : 0u;
  switch (format) {
    case IntFormat::i6: return uint32_t(value + 32);
    case IntFormat::i8: return uint32_t(value) & 255;
    case IntFormat::st8: return magnitude | sign << 6 | t << 7;
    case IntFormat::st5: return magnitude | sign << 3 | t << 4;
    default: return uint32_t(value);
  }
}

void pack_ints(IntFormat format, uint32_t count, const int16_t* values, const uint8_t* t, int row, std::byte* plane) {
  const uint32_t bits = int_format_bits(format), wide = layout::wide_bits(bits), narrow = bits - wide;
  std::byte* high = plane + layout::group_plane_bytes(wide, count);
  const uint32_t lane = uint32_t(row);
  for (uint32_t g = 0; g < count; ++g) {
    const uint32_t code = encode(format, values[g], t[g]);
    plane[layout::group_byte(wide, g, lane)] |= std::byte((code & ((1u << wide) - 1)) << layout::group_shift(wide, g));
    if (narrow) high[layout::group_byte(narrow, g, lane)] |= std::byte(code >> wide << layout::group_shift(narrow, g));
  }
}

void pack_floats(FloatFormat format, uint32_t count, const uint32_t* bits, int row, std::byte* plane) {
  const uint32_t width = uint32_t(float_format_bytes(format));
  for (uint32_t b = 0; b < count; ++b)
    std::memcpy(plane + layout::block_byte(width, b, uint32_t(row)), bits + b, width);
}

void pack_segment(const TypeInfo& type, const SegmentLayout& l, uint32_t k0, const RowFields& f, int row,
                  std::byte* segment) {
  const uint32_t wide = layout::wide_bits(type.bits), narrow = type.bits - wide;
  pack_codes(wide, 0, l.n, f.codes.data() + k0, row, segment);
  if (narrow) pack_codes(narrow, wide, l.n, f.codes.data() + k0, row, segment + l.codes_narrow);
  const uint32_t g = type.group ? k0 / type.group : 0, b = type.block ? k0 / type.block : 0;
  if (!f.s.empty()) pack_ints(type.s, l.groups, f.s.data() + g, f.t.data() + g, row, segment + l.s);
  if (!f.m.empty()) pack_ints(type.m, l.groups, f.m.data() + g, f.t.data() + g, row, segment + l.m);
  if (!f.d.empty()) pack_floats(type.d, l.blocks, f.d.data() + b, row, segment + l.d);
  if (!f.e.empty()) pack_floats(type.e, l.blocks, f.e.data() + b, row, segment + l.e);
}

}  // namespace

void pack_row_block(const TypeInfo& type, int64_t k, const RowFields* rows, int count, std::byte* record) {
  const RecordLayout r = record_layout(type, k);
  std::memset(record, 0, r.bytes);
  for (int row = 0; row < count; ++row) {
    const RowFields& f = rows[row];
    for (uint32_t i = 0; i < r.full_count; ++i)
      pack_segment(type, r.full, i * LOAM_SEGMENT_K, f, row, record + uint64_t(i) * r.full.bytes);
    if (r.last.n)
      pack_segment(type, r.last, r.full_count * LOAM_SEGMENT_K, f, row, record + uint64_t(r.full_count) * r.full.bytes);
    if (type.block) continue;
    pack_floats(type.d, 1, f.d.data(), row, record + r.row_d);
    if (!f.e.empty()) pack_floats(type.e, 1, f.e.data(), row, record + r.row_e);
  }
}

void pack_plain_block(const TypeInfo& type, int64_t k, const std::byte* rows, size_t stride, int count,
                      std::byte* record) {
  std::memset(record, 0, record_layout(type, k).bytes);
  const size_t width = size_t(float_format_bytes(type.plain)), size = size_t(k) * width;
  for (int row = 0; row < count; ++row) {
    const std::byte* from = rows + size_t(row) * stride;
    std::byte* to = record + row * 4;
    size_t i = 0;
    for (; i + 4 <= size; i += 4, to += 64) std::memcpy(to, from + i, 4);
    std::memcpy(to, from + i, size - i);
  }
}

}  // namespace loam
