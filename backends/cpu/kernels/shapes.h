// What of a type's row chooses its kernels. They are compiled for the shapes of types.def; other rows, which tests and
// experiments add, run in code that takes the shape as it comes.
#pragma once
#include "core/types/built_in.h"

namespace loam::cpu::ISA {
namespace {

enum class Arithmetic : uint8_t {
  code,   // the code as it is: dots subtract zero
  minus,  // level - m, or just the level
  scale   // s * level - m
};

// How codes become levels: code - zero, one table, two, or two that differ by a constant.
constexpr int kNoTable = 0, kOneTable = 1, kTwoTables = 2, kShiftedTable = 3;

enum class RowScales : uint8_t { none, by_32, by_16 };  // k per integer s

struct Shape {
  int bits, tables;
  Arithmetic arithmetic;
  RowScales scales;
  bool grid;
  bool operator==(const Shape&) const = default;
};
constexpr Shape kAnyShape = {0, 0, Arithmetic::scale, RowScales::none, false};

// Tables that differ by a constant need one lookup.
constexpr bool differ_by_constant(const TypeInfo& type) {
  const int shift = type.tables[1][0] - type.tables[0][0];
  for (int i = 0; i < 1 << type.bits; ++i) {
    if (type.tables[1][i] - type.tables[0][i] != shift) return false;
  }
  return shift >= -128 && shift <= 127;
}

constexpr Shape shape_of(const TypeInfo& type) {
  const bool grid = type.family == Family::grid, has_table = type.tables[0] != nullptr;
  const bool has_s = type.s != IntFormat::none, has_t = type.s == IntFormat::st8 || type.s == IntFormat::st5;
  const bool is_level = has_table || (grid && type.m != IntFormat::none) || type.bits > kLargestCodeBits ||
                        (kPanelBias && type.zero != 0 && type.zero != kPanelBias);
  return {type.bits,
          !has_table                  ? kNoTable
          : !type.tables[1] || !has_t ? kOneTable
          : differ_by_constant(type)  ? kShiftedTable
                                      : kTwoTables,
          grid && has_s ? Arithmetic::scale
          : is_level    ? Arithmetic::minus
                        : Arithmetic::code,
          !has_s             ? RowScales::none
          : type.group == 16 ? RowScales::by_16
                             : RowScales::by_32,
          grid};
}

constexpr int kBuiltInCount = sizeof(kBuiltInTypes) / sizeof(TypeInfo);
constexpr int next_shape(int i) {  // the index of a built-in type behind i, or kBuiltInCount
  do ++i;
  while (i < kBuiltInCount && kBuiltInTypes[i].family == Family::plain);
  return i;
}
constexpr int kFirstShape = next_shape(-1);

}  // namespace
}  // namespace loam::cpu::ISA
