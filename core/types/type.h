// What a stored weight type is: one row of a table. Everything else (size, quantize, dequantize, unpack, matvec) is
// derived from the row.  w[n,k] is made of an integer level L (code - zero, or table[t][code]), small integers s and m
// per group of `group` k, and floats D and E per block of `block` k:
//   grid:    w = D * v,  v = s * L - m     v is an exact int8
//   scaled:  w = D * s * L - E * m         s may be signed, s * L need not fit int8
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace loam {

enum class Family : uint8_t { plain, grid, scaled };

// Formats of D and E. e8m0_half is 2^(e-128): OCP's e8m0 for levels that are stored doubled (MXFP4).
enum class FloatFormat : uint8_t { none, f32, f16, bf16, e8m0_half };

// Encodings of the integers of a group, per output row.
//   u4 u6 u8 i8   plain; u6 is a plane of 4 and a plane of 2 bits       i6  stored as value + 32
//   st8           6 bits |s|, bit 6 the sign of s, bit 7 t              st5  3 bits |s|, bit 3 the sign of s, bit 4 t
enum class IntFormat : uint8_t { none, u4, u6, i6, u8, i8, st8, st5 };

struct TypeInfo {
  uint16_t id;  // in files, for ever
  std::string_view name;
  Family family;
  uint8_t bits;                                  // of one code; of one value for plain types
  int16_t zero = 0;                              // level = code - zero, where there is no table
  const int8_t* tables[2] = {nullptr, nullptr};  // level = tables[t][code], 1 << bits entries
  uint16_t group = 0;                            // k per s, m and t; 0: none of them
  IntFormat s = IntFormat::none, m = IntFormat::none;
  uint16_t block = 0;  // k per D and E; 0: the whole row
  FloatFormat d = FloatFormat::none, e = FloatFormat::none;
  FloatFormat plain = FloatFormat::none;  // of a plain type

  bool has_table() const { return tables[0] != nullptr; }
};

constexpr int64_t kTileRows = 16;  // output rows of a row block
constexpr int64_t kPadK = 32;      // rows are padded with zeros to a multiple of this

// The table: all rows in order of id. find_* return nullptr for an unknown type.
std::span<const TypeInfo> all_types();
const TypeInfo* find_type(std::string_view name);
const TypeInfo* find_type(uint16_t id);
// Adds a row at run time (tests, experiments); returns false where id or name is taken or the row makes no sense.
bool add_type(const TypeInfo& row);

// Bytes of an [n, k] matrix of this type as stored (row blocks of 16 rows), or of one row block. Throws on overflow.
uint64_t row_block_bytes(const TypeInfo& type, int64_t k);
uint64_t matrix_bytes(const TypeInfo& type, int64_t n, int64_t k);
// Stored bits per weight of an [n, k] matrix, padding included.
double bits_per_weight(const TypeInfo& type, int64_t n, int64_t k);

}  // namespace loam
