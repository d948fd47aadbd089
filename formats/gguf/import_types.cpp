#include "formats/gguf/import_types.h"

#include <cstring>
#include <string>

#include "core/error.h"
#include "core/types/record.h"
#include "formats/row_block.h"

namespace loam {
namespace {

uint32_t half_at(const uint8_t* p) { return uint32_t(p[0] | p[1] << 8); }

// 16 bytes of nibbles: the low ones are the first 16 codes, the high ones the next 16.
void nibbles(const uint8_t* qs, uint8_t* codes) {
  for (int j = 0; j < 16; ++j) codes[j] = qs[j] & 15;
  for (int j = 0; j < 16; ++j) codes[16 + j] = qs[j] >> 4;
}

// Bit j of 32 is the fifth bit of code j.
void fifth_bits(const uint8_t* qh, uint8_t* codes) {
  for (int j = 0; j < 32; ++j) codes[j] |= uint8_t((qh[j / 8] >> j % 8 & 1) << 4);
}

void unpack_q4_0(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p);
  nibbles(p + 2, to.codes);
}
// w = d * q + m, and ours is d * q - e: the sign of the minimum turns.
void unpack_q4_1(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p), to.e[0] = half_at(p + 2) ^ 0x8000;
  nibbles(p + 4, to.codes);
}
void unpack_q5_0(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p);
  nibbles(p + 6, to.codes), fifth_bits(p + 2, to.codes);
}
void unpack_q5_1(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p), to.e[0] = half_at(p + 2) ^ 0x8000;
  nibbles(p + 8, to.codes), fifth_bits(p + 4, to.codes);
}
void unpack_q8_0(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p);
  for (int j = 0; j < 32; ++j) to.codes[j] = p[2 + j] ^ 128;
}

void unpack_q2_k(const uint8_t* p, const BlockFields& to) {  // scales 16, codes 64, d, dmin
  for (int g = 0; g < 16; ++g) to.s[g] = p[g] & 15, to.m[g] = p[g] >> 4;
  for (int j = 0; j < 8; ++j) {
    for (int l = 0; l < 32; ++l) to.codes[32 * j + l] = p[16 + 32 * (j / 4) + l] >> 2 * (j % 4) & 3;
  }
  to.d[0] = half_at(p + 80), to.e[0] = half_at(p + 82);
}

void unpack_q3_k(const uint8_t* p, const BlockFields& to) {  // high bits 32, codes 64, scales 12, d
  const uint8_t* scales = p + 96;
  for (int g = 0; g < 16; ++g) {
    const int low = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4, high = scales[8 + g % 4] >> 2 * (g / 4) & 3;
    to.s[g] = int16_t((low | high << 4) - 32);
  }
  for (int j = 0; j < 8; ++j) {
    for (int l = 0; l < 32; ++l)
      to.codes[32 * j + l] = uint8_t((p[32 + 32 * (j / 4) + l] >> 2 * (j % 4) & 3) | (p[l] >> j & 1) << 2);
  }
  to.d[0] = half_at(p + 108);
}

// Eight pairs of 6-bit integers in 12 bytes, as Q4_K and Q5_K pack them.
void six_bit_pairs(const uint8_t* q, const BlockFields& to) {
  for (int j = 0; j < 4; ++j) {
    to.s[j] = q[j] & 63, to.m[j] = q[j + 4] & 63;
    to.s[j + 4] = int16_t((q[j + 8] & 15) | q[j] >> 6 << 4);
    to.m[j + 4] = int16_t(q[j + 8] >> 4 | q[j + 4] >> 6 << 4);
  }
}

// 128 bytes of nibbles in four parts: low ones first within each.
void nibbles_256(const uint8_t* qs, uint8_t* codes) {
  for (int j = 0; j < 4; ++j) {
    for (int l = 0; l < 32; ++l) codes[64 * j + l] = qs[32 * j + l] & 15;
    for (int l = 0; l < 32; ++l) codes[64 * j + 32 + l] = qs[32 * j + l] >> 4;
  }
}

void unpack_q4_k(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p), to.e[0] = half_at(p + 2);
  six_bit_pairs(p + 4, to);
  nibbles_256(p + 16, to.codes);
}

void unpack_q5_k(const uint8_t* p, const BlockFields& to) {
  to.d[0] = half_at(p), to.e[0] = half_at(p + 2);
  six_bit_pairs(p + 4, to);
  nibbles_256(p + 48, to.codes);
  for (int j = 0; j < 8; ++j) {
    for (int l = 0; l < 32; ++l) to.codes[32 * j + l] |= uint8_t((p[16 + l] >> j & 1) << 4);
  }
}

void unpack_q6_k(const uint8_t* p, const BlockFields& to) {  // low nibbles 128, high pairs 64, scales 16, d
  for (int half = 0; half < 2; ++half) {
    const uint8_t *low = p + 64 * half, *high = p + 128 + 32 * half;
    uint8_t* codes = to.codes + 128 * half;
    for (int l = 0; l < 32; ++l) codes[l] = uint8_t((low[l] & 15) | (high[l] & 3) << 4);
    for (int l = 0; l < 32; ++l) codes[32 + l] = uint8_t((low[32 + l] & 15) | (high[l] >> 2 & 3) << 4);
    for (int l = 0; l < 32; ++l) codes[64 + l] = uint8_t(low[l] >> 4 | (high[l] >> 4 & 3) << 4);
    for (int l = 0; l < 32; ++l) codes[96 + l] = uint8_t(low[32 + l] >> 4 | (high[l] >> 6 & 3) << 4);
  }
  for (int g = 0; g < 16; ++g) to.s[g] = int8_t(p[192 + g]);
  to.d[0] = half_at(p + 208);
}

void unpack_iq4_xs(const uint8_t* p, const BlockFields& to) {  // d, high scale bits 2, low scale nibbles 4, codes 128
  to.d[0] = half_at(p);
  for (int g = 0; g < 8; ++g) {
    const int low = p[4 + g / 2] >> 4 * (g % 2) & 15, high = int(half_at(p + 2)) >> 2 * g & 3;
    to.s[g] = int16_t((low | high << 4) - 32);
    nibbles(p + 8 + 16 * g, to.codes + 32 * g);
  }
}

void unpack_mxfp4(const uint8_t* p, const BlockFields& to) {
  to.d[0] = p[0];
  nibbles(p + 1, to.codes);
}

// Five base-3 digits in a byte, the first one on top: digit n is the top of byte * 3^n * 3 / 256.
void base_three(const uint8_t* q, int bytes, int digits, uint8_t* codes) {
  constexpr uint8_t kPower[5] = {1, 3, 9, 27, 81};
  for (int n = 0; n < digits; ++n) {
    for (int i = 0; i < bytes; ++i) codes[n * bytes + i] = uint8_t(uint8_t(q[i] * kPower[n]) * 3 >> 8);
  }
}

void unpack_tq1_0(const uint8_t* p, const BlockFields& to) {
  base_three(p, 32, 5, to.codes), base_three(p + 32, 16, 5, to.codes + 160), base_three(p + 48, 4, 4, to.codes + 240);
  to.d[0] = half_at(p + 52);
}

void unpack_tq2_0(const uint8_t* p, const BlockFields& to) {
  for (int j = 0; j < 8; ++j) {
    for (int l = 0; l < 32; ++l) to.codes[32 * j + l] = p[32 * (j / 4) + l] >> 2 * (j % 4) & 3;
  }
  to.d[0] = half_at(p + 64);
}

constexpr ImportType kImports[] = {
    {2, unpack_q4_0},    {3, unpack_q4_1},   {6, unpack_q5_0},   {7, unpack_q5_1},
    {8, unpack_q8_0},    {10, unpack_q2_k},  {11, unpack_q3_k},  {12, unpack_q4_k},
    {13, unpack_q5_k},   {14, unpack_q6_k},  {20, unpack_q4_0},  // IQ4_NL has Q4_0's bytes and a table of levels
    {23, unpack_iq4_xs}, {34, unpack_tq1_0}, {35, unpack_tq2_0}, {39, unpack_mxfp4},
};

const ImportType& importer_of(const GgmlType& type) {
  for (const ImportType& t : kImports) {
    if (t.ggml == type.id) return t;
  }
  fail(Code::internal, "ggml type %.*s has no importer", int(type.name.size()), type.name.data());
}

bool finite(FloatFormat format, const std::vector<uint32_t>& bits) {
  for (const uint32_t b : bits) {
    if (format == FloatFormat::f16 && (b & 0x7c00) == 0x7c00) return false;
  }
  return true;
}

template <class Word>
bool finite_values(const std::byte* row, int64_t count, Word exponent) {
  bool ok = true;
  for (int64_t i = 0; i < count; ++i) {
    Word w;
    std::memcpy(&w, row + size_t(i) * sizeof w, sizeof w);
    ok &= (w & exponent) != exponent;
  }
  return ok;
}

bool finite_values(FloatFormat format, const std::byte* row, int64_t count) {
  if (format == FloatFormat::f32) return finite_values<uint32_t>(row, count, 0x7f800000u);
  return finite_values<uint16_t>(row, count, format == FloatFormat::f16 ? 0x7c00 : 0x7f80);
}

const TypeInfo& stored_type(const GgmlType& type) {
  const TypeInfo* stored = type.stored_as.empty() ? nullptr : find_type(type.stored_as);
  if (!stored) fail(Code::internal, "ggml type %.*s has no Loam type", int(type.name.size()), type.name.data());
  return *stored;
}

size_t row_bytes(const GgmlType& type, int64_t k) { return size_t(k) / type.block_values * type.block_bytes; }

void unpack_blocks(const GgmlType& type, const ImportType& importer, const TypeInfo& stored, int64_t k,
                   const std::byte* row, RowFields& f) {
  const auto* p = reinterpret_cast<const uint8_t*>(row);
  const size_t values = type.block_values, groups = stored.group ? values / stored.group : 0;
  for (size_t b = 0; b < size_t(k) / values; ++b, p += type.block_bytes) {
    importer.unpack(
        p, {f.codes.data() + b * values, f.s.empty() ? nullptr : f.s.data() + b * groups,
            f.m.empty() ? nullptr : f.m.data() + b * groups, f.d.data() + b, f.e.empty() ? nullptr : f.e.data() + b});
  }
}

}  // namespace

std::span<const ImportType> all_import_types() { return kImports; }

const TypeInfo& import_type_of(const GgmlType& type, std::string_view tensor) {
  if (type.stored_as.empty()) {
    fail(Code::unsupported,
         "tensor '%.*s' has the GGUF type %.*s, which Loam cannot hold exactly; convert from the original checkpoint "
         "(a folder of safetensors), or take a Q4_K or IQ4_XS file of this model",
         int(tensor.size()), tensor.data(), int(type.name.size()), type.name.data());
  }
  return stored_type(type);
}

void import_row(const GgmlType& type, int64_t k, const std::byte* row, RowFields& fields) {
  const TypeInfo& stored = stored_type(type);
  fields.resize(stored, k);
  unpack_blocks(type, importer_of(type), stored, k, row, fields);
}

bool import_row_block(const GgmlType& type, int64_t k, const std::byte* rows, int count, std::byte* record) {
  const TypeInfo& stored = stored_type(type);
  const size_t stride = row_bytes(type, k);
  bool ok = true;
  if (stored.family == Family::plain) {
    pack_plain_block(stored, k, rows, stride, count, record);
    for (int row = 0; row < count; ++row) ok &= finite_values(stored.plain, rows + size_t(row) * stride, k);
    return ok;
  }
  const ImportType& importer = importer_of(type);
  thread_local RowFields fields[kTileRows];
  for (int row = 0; row < count; ++row) {
    fields[row].resize(stored, k);
    unpack_blocks(type, importer, stored, k, rows + size_t(row) * stride, fields[row]);
    ok &= finite(stored.d, fields[row].d) && finite(stored.e, fields[row].e);
  }
  pack_row_block(stored, k, fields, count, record);
  return ok;
}

void import_row_f32(const GgmlType& type, int64_t k, const std::byte* row, float* out) {
  const TypeInfo& stored = stored_type(type);
  if (stored.family != Family::plain) {
    thread_local RowFields fields;
    import_row(type, k, row, fields);
    dequantize_fields(stored, k, fields, out);
    return;
  }
  const size_t width = size_t(float_format_bytes(stored.plain));
  for (int64_t i = 0; i < k; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, row + size_t(i) * width, width);
    out[i] = float_from_bits(stored.plain, bits);
  }
}

}  // namespace loam
