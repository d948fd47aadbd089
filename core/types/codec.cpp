#include "core/types/codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/types/record.h"

namespace loam {
namespace {

uint8_t& byte_at(std::byte* p, uint64_t i) { return reinterpret_cast<uint8_t*>(p)[i]; }
uint8_t byte_at(const std::byte* p, uint64_t i) { return reinterpret_cast<const uint8_t*>(p)[i]; }

void put_code(std::byte* segment, const SegmentLayout& l, uint32_t bits, uint32_t k, uint32_t row, uint8_t code) {
  const uint32_t wide = layout::wide_bits(bits), narrow = bits - wide;
  byte_at(segment, layout::code_byte(wide, k, row)) |=
      uint8_t((code & ((1u << wide) - 1)) << layout::code_shift(wide, k));
  if (narrow) {
    byte_at(segment, l.codes_narrow + layout::code_byte(narrow, k, row)) |=
        uint8_t(code >> wide << layout::code_shift(narrow, k));
  }
}

uint8_t get_code(const std::byte* segment, const SegmentLayout& l, uint32_t bits, uint32_t k, uint32_t row) {
  const uint32_t wide = layout::wide_bits(bits), narrow = bits - wide;
  uint32_t code = byte_at(segment, layout::code_byte(wide, k, row)) >> layout::code_shift(wide, k) & ((1u << wide) - 1);
  if (narrow) {
    const uint32_t high = byte_at(segment, l.codes_narrow + layout::code_byte(narrow, k, row));
    code |= (high >> layout::code_shift(narrow, k) & ((1u << narrow) - 1)) << wide;
  }
  return uint8_t(code);
}

// The bits of one group integer, in a plane of 4 or 8 and one of what is left.
void put_int(std::byte* plane, uint32_t bits, uint32_t count, uint32_t g, uint32_t row, uint32_t value) {
  const uint32_t wide = layout::wide_bits(bits), narrow = bits - wide;
  byte_at(plane, layout::group_byte(wide, g, row)) |=
      uint8_t((value & ((1u << wide) - 1)) << layout::group_shift(wide, g));
  if (narrow) {
    byte_at(plane, layout::group_plane_bytes(wide, count) + layout::group_byte(narrow, g, row)) |=
        uint8_t(value >> wide << layout::group_shift(narrow, g));
  }
}

uint32_t get_int(const std::byte* plane, uint32_t bits, uint32_t count, uint32_t g, uint32_t row) {
  const uint32_t wide = layout::wide_bits(bits), narrow = bits - wide;
  uint32_t value =
      byte_at(plane, layout::group_byte(wide, g, row)) >> layout::group_shift(wide, g) & ((1u << wide) - 1);
  if (narrow) {
    const uint32_t high = byte_at(plane, layout::group_plane_bytes(wide, count) + layout::group_byte(narrow, g, row));
    value |= (high >> layout::group_shift(narrow, g) & ((1u << narrow) - 1)) << wide;
  }
  return value;
}

uint32_t encode_int(IntFormat f, int value, int t) {
  const uint32_t magnitude = uint32_t(std::abs(value)), sign = value < 0 ? 1u : 0u;
  switch (f) {
    case IntFormat::i6: return uint32_t(value + 32);
    case IntFormat::i8: return uint32_t(value) & 255;
    case IntFormat::st8: return magnitude | sign << 6 | uint32_t(t) << 7;
    case IntFormat::st5: return magnitude | sign << 3 | uint32_t(t) << 4;
    default: return uint32_t(value);
  }
}

int decode_int(IntFormat f, uint32_t bits, uint8_t& t) {
  switch (f) {
    case IntFormat::i6: return int(bits) - 32;
    case IntFormat::i8: return int8_t(bits);
    case IntFormat::st8: t = uint8_t(bits >> 7); return bits & 64 ? -int(bits & 63) : int(bits & 63);
    case IntFormat::st5: t = uint8_t(bits >> 4); return bits & 8 ? -int(bits & 7) : int(bits & 7);
    default: return int(bits);
  }
}

void put_float(std::byte* p, FloatFormat f, uint32_t block, uint32_t row, uint32_t bits) {
  const uint32_t width = uint32_t(float_format_bytes(f));
  std::memcpy(p + layout::block_byte(width, block, row), &bits, width);  // little-endian
}

uint32_t get_float(const std::byte* p, FloatFormat f, uint32_t block, uint32_t row) {
  const uint32_t width = uint32_t(float_format_bytes(f));
  uint32_t bits = 0;
  std::memcpy(&bits, p + layout::block_byte(width, block, row), width);
  return bits;
}

// Calls visit(segment layout, byte offset, first k) for each segment of a row of padded k.
template <class F>
void for_each_segment(const RecordLayout& r, F&& visit) {
  for (uint32_t i = 0; i < r.full_count; ++i) visit(r.full, uint64_t(i) * r.full.bytes, i * LOAM_SEGMENT_K);
  if (r.last.n) visit(r.last, uint64_t(r.full_count) * r.full.bytes, r.full_count * LOAM_SEGMENT_K);
}

}  // namespace

void RowFields::resize(const TypeInfo& type, int64_t k) {
  const size_t kp = size_t(padded_k(k)), groups = type.group ? (kp + type.group - 1) / type.group : 0;
  const size_t blocks = type.block ? (kp + type.block - 1) / type.block : 1;
  codes.assign(kp, 0);
  s.assign(type.s == IntFormat::none ? 0 : groups, 0);
  m.assign(type.m == IntFormat::none ? 0 : groups, 0);
  t.assign(groups, 0);
  d.assign(type.d == FloatFormat::none ? 0 : blocks, 0);
  e.assign(type.e == FloatFormat::none ? 0 : blocks, 0);
}

void pack_row(const TypeInfo& type, int64_t k, const RowFields& f, int row, std::byte* record) {
  const RecordLayout r = record_layout(type, k);
  const uint32_t lane = uint32_t(row);
  for_each_segment(r, [&](const SegmentLayout& l, uint64_t at, uint32_t k0) {
    std::byte* segment = record + at;
    for (uint32_t j = 0; j < l.n; ++j) put_code(segment, l, type.bits, j, lane, f.codes[k0 + j]);
    for (uint32_t g = 0; g < l.groups; ++g) {
      const size_t i = k0 / type.group + g;
      const int t = f.t[i];
      if (!f.s.empty())
        put_int(segment + l.s, int_format_bits(type.s), l.groups, g, lane, encode_int(type.s, f.s[i], t));
      if (!f.m.empty())
        put_int(segment + l.m, int_format_bits(type.m), l.groups, g, lane, encode_int(type.m, f.m[i], t));
    }
    for (uint32_t b = 0; b < l.blocks; ++b) {
      put_float(segment + l.d, type.d, b, lane, f.d[k0 / type.block + b]);
      if (!f.e.empty()) put_float(segment + l.e, type.e, b, lane, f.e[k0 / type.block + b]);
    }
  });
  if (!type.block) put_float(record + r.row_d, type.d, 0, lane, f.d[0]);
  if (!type.block && !f.e.empty()) put_float(record + r.row_e, type.e, 0, lane, f.e[0]);
}

void unpack_row(const TypeInfo& type, int64_t k, const std::byte* record, int row, RowFields& f) {
  const RecordLayout r = record_layout(type, k);
  const uint32_t lane = uint32_t(row);
  f.resize(type, k);
  for_each_segment(r, [&](const SegmentLayout& l, uint64_t at, uint32_t k0) {
    const std::byte* segment = record + at;
    for (uint32_t j = 0; j < l.n; ++j) f.codes[k0 + j] = get_code(segment, l, type.bits, j, lane);
    for (uint32_t g = 0; g < l.groups; ++g) {
      const size_t i = k0 / type.group + g;
      uint8_t unused = 0;
      if (!f.s.empty())
        f.s[i] =
            int16_t(decode_int(type.s, get_int(segment + l.s, int_format_bits(type.s), l.groups, g, lane), f.t[i]));
      if (!f.m.empty())
        f.m[i] =
            int16_t(decode_int(type.m, get_int(segment + l.m, int_format_bits(type.m), l.groups, g, lane), unused));
    }
    for (uint32_t b = 0; b < l.blocks; ++b) {
      f.d[k0 / type.block + b] = get_float(segment + l.d, type.d, b, lane);
      if (!f.e.empty()) f.e[k0 / type.block + b] = get_float(segment + l.e, type.e, b, lane);
    }
  });
  if (!type.block) f.d[0] = get_float(record + r.row_d, type.d, 0, lane);
  if (!type.block && !f.e.empty()) f.e[0] = get_float(record + r.row_e, type.e, 0, lane);
}

float stored_value(const TypeInfo& type, const RowFields& f, size_t j) {
  const size_t g = type.group ? j / type.group : 0, b = type.block ? j / type.block : 0;
  const int level = level_of(type, f.codes[j], f.t.empty() ? 0 : f.t[g]);
  const float d = float_from_bits(type.d, f.d[b]);
  if (type.family == Family::grid) return d * float((f.s.empty() ? 1 : f.s[g]) * level - (f.m.empty() ? 0 : f.m[g]));
  const float scale = f.s.empty() ? d : d * float(f.s[g]);  // the order of GGUF's definitions, signs of zero included
  const float value = scale * float(level);
  if (f.e.empty()) return value;
  const float e = float_from_bits(type.e, f.e[b]);
  return value - (f.m.empty() ? e : e * float(f.m[g]));
}

void dequantize_fields(const TypeInfo& type, int64_t k, const RowFields& f, float* out) {
  for (int64_t j = 0; j < k; ++j) out[j] = stored_value(type, f, size_t(j));
}

void dequantize_row(const TypeInfo& type, int64_t k, const std::byte* record, int row, float* out) {
  if (type.family == Family::plain) {
    const uint32_t width = uint32_t(float_format_bytes(type.plain));
    for (int64_t j = 0; j < k; ++j) {
      uint32_t bits = 0;
      std::memcpy(
          &bits,
          record + uint64_t(j / (4 / width)) * 64 + layout::plain_byte(width, uint32_t(j % (4 / width)), uint32_t(row)),
          width);
      out[j] = float_from_bits(type.plain, bits);
    }
    return;
  }
  thread_local RowFields fields;
  unpack_row(type, k, record, row, fields);
  dequantize_fields(type, k, fields, out);
}

void quantize_row_block(const TypeInfo& type, int64_t k, const float* rows, int count, std::byte* record) {
  std::memset(record, 0, row_block_bytes(type, k));
  RowFields fields;
  for (int row = 0; row < count; ++row) {
    const float* x = rows + row * k;
    if (type.family != Family::plain) {
      quantize_row(type, k, x, fields);
      pack_row(type, k, fields, row, record);
      continue;
    }
    const uint32_t width = uint32_t(float_format_bytes(type.plain));
    for (int64_t j = 0; j < k; ++j) {
      const uint32_t bits = float_to_bits(type.plain, x[j]);
      std::memcpy(
          record + uint64_t(j / (4 / width)) * 64 + layout::plain_byte(width, uint32_t(j % (4 / width)), uint32_t(row)),
          &bits, width);
    }
  }
}

}  // namespace loam
