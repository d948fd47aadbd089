#include "core/types/type.h"

#include <vector>

#include "core/error.h"
#include "core/types/built_in.h"
#include "core/types/record.h"

namespace loam {
namespace {

// Rows never move: pointers to them are kept for ever (hence a reserve that add_type does not exceed).
std::vector<TypeInfo>& table() {
  static std::vector<TypeInfo> rows = [] {
    std::vector<TypeInfo> all(std::begin(kBuiltInTypes), std::end(kBuiltInTypes));
    all.reserve(all.size() + 64);
    return all;
  }();
  return rows;
}

bool makes_sense(const TypeInfo& t) {
  const bool bits_ok = t.bits >= 1 && t.bits <= 8 && t.bits != 7;
  const bool group_ok = t.group == 0 || (t.group % 16 == 0 && LOAM_SEGMENT_K % t.group == 0);
  const bool block_ok = t.block == 0 || (t.block % 16 == 0 && LOAM_SEGMENT_K % t.block == 0);
  const bool ints_ok = t.group != 0 || (t.s == IntFormat::none && t.m == IntFormat::none);
  const bool table_ok = !t.has_table() || t.bits <= 4;  // one byte shuffle; wider tables come with their types
  const bool nested = t.group == 0 || t.block == 0 || t.block % t.group == 0;
  return t.family != Family::plain && bits_ok && group_ok && block_ok && ints_ok && table_ok && nested &&
         t.d != FloatFormat::none;
}

}  // namespace

std::span<const TypeInfo> all_types() { return table(); }

const TypeInfo* find_type(std::string_view name) {
  for (const TypeInfo& t : table()) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

const TypeInfo* find_type(uint16_t id) {
  for (const TypeInfo& t : table()) {
    if (t.id == id) return &t;
  }
  return nullptr;
}

bool add_type(const TypeInfo& row) {
  if (find_type(row.id) || find_type(row.name) || !makes_sense(row)) return false;
  if (table().size() == table().capacity()) return false;
  table().push_back(row);
  return true;
}

uint64_t row_block_bytes(const TypeInfo& type, int64_t k) {
  if (k <= 0 || k > (int64_t(1) << 31))
    fail(Code::bad_argument, "a row of %lld values: expected 1 to 2^31", (long long)k);
  return record_layout(type, k).bytes;
}

uint64_t matrix_bytes(const TypeInfo& type, int64_t n, int64_t k) {
  if (n <= 0 || n > (int64_t(1) << 40))
    fail(Code::bad_argument, "a matrix of %lld rows: expected 1 to 2^40", (long long)n);
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(uint64_t(row_blocks(n)), row_block_bytes(type, k), &bytes) || bytes >> 62)
    fail(Code::bad_argument, "a matrix of %lld x %lld is too large", (long long)n, (long long)k);
  return bytes;
}

double bits_per_weight(const TypeInfo& type, int64_t n, int64_t k) {
  return 8.0 * double(matrix_bytes(type, n, k)) / (double(n) * double(k));
}

}  // namespace loam
