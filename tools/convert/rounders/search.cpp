// Coordinate descent from the nearest rounding: one after the other, each number that a group (or a block, a row) owns
// is moved a little, its codes are chosen again, and the move stays if the squared error of the weights fell.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/types/codec.h"
#include "core/types/float_bits.h"

namespace loam {
namespace {

constexpr int kPasses = 4;

// The columns that share all their numbers, and the fields of their row.
class Unit {
 public:
  Unit(const TypeInfo& type, const std::vector<float>& row, RowFields& fields, size_t first, size_t count)
      : type_(type), row_(row), f_(fields), first_(first), count_(count) {
    group_ = type.group ? first / type.group : 0;
    block_ = type.block ? first / type.block : 0;
    codes_.resize(count);
    error_ = error();
  }

  void descend() {
    for (int pass = 0; pass < kPasses; ++pass) {
      bool better = false;
      if (!f_.s.empty()) better |= move_integer(f_.s[group_], int_range(type_.s));
      if (!f_.m.empty()) better |= move_integer(f_.m[group_], offset_range(type_));
      if (!f_.t.empty()) better |= move_integer(f_.t[group_], {0, type_.tables[1] ? 1 : 0});
      if (owns_floats()) better |= move_float(f_.d[block_], type_.d);
      if (owns_floats() && !f_.e.empty()) better |= move_float(f_.e[block_], type_.e);
      if (!better) return;
    }
  }

 private:
  // D and E can be moved here where no other unit has the same ones; integers do the work where one has.
  bool owns_floats() const { return !type_.group || type_.group == type_.block; }

  double error() const {
    double sum = 0;
    for (size_t j = first_; j < first_ + count_; ++j) {
      const double e = double(stored_value(type_, f_, j)) - double(row_[j]);
      sum += e * e;
    }
    return sum;
  }

  // Sets `place` to `value`; takes it back unless the error falls.
  template <class T>
  bool try_value(T& place, T value) {
    const T before = place;
    std::copy_n(f_.codes.begin() + ptrdiff_t(first_), count_, codes_.begin());
    place = value;
    choose_codes(type_, row_.data(), first_, count_, f_);
    const double now = error();
    if (now < error_) {  // false for NaN as well
      error_ = now;
      return true;
    }
    place = before;
    std::copy_n(codes_.begin(), count_, f_.codes.begin() + ptrdiff_t(first_));
    return false;
  }

  template <class T>
  bool move_integer(T& place, IntRange range) {
    bool better = false;
    for (const int step : {-3, -1, 1, 3}) {
      while (int(place) + step >= range.low && int(place) + step <= range.high && try_value(place, T(place + step)))
        better = true;
    }
    return better;
  }

  bool move_float(uint32_t& place, FloatFormat format) {
    bool better = false;
    for (const float factor : {0.85f, 0.95f, 0.98f, 1.02f, 1.05f, 1.15f}) {
      for (;;) {
        const uint32_t value = float_to_bits(format, float_from_bits(format, place) * factor);
        if (value == place || !try_value(place, value)) break;
        better = true;
      }
    }
    return better;
  }

  const TypeInfo& type_;
  const std::vector<float>& row_;
  RowFields& f_;
  size_t first_, count_, group_, block_;
  double error_;
  std::vector<uint8_t> codes_;
};

void search_row(const TypeInfo& type, int64_t k, const float* row, RowFields& fields, std::vector<float>& padded) {
  quantize_row(type, k, row, fields);
  padded.assign(fields.codes.size(), 0.f);
  std::copy(row, row + k, padded.begin());
  const size_t size = padded.size(), unit = type.group ? type.group : type.block ? type.block : size;
  for (size_t first = 0; first < size; first += unit)
    Unit(type, padded, fields, first, std::min(unit, size - first)).descend();
}

}  // namespace

void round_search(const TypeInfo& type, int64_t k, const float* rows, int count, std::byte* record) {
  if (type.family == Family::plain) return quantize_row_block(type, k, rows, count, record);
  std::memset(record, 0, row_block_bytes(type, k));
  RowFields fields;
  std::vector<float> padded;
  for (int i = 0; i < count; ++i) {
    search_row(type, k, rows + i * k, fields, padded);
    pack_row(type, k, fields, i, record);
  }
}

}  // namespace loam
