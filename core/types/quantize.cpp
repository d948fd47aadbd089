// Nearest rounding for every type, derived from its row: fit real scales per group, put them on the grid of D (and E),
// then take the nearest code. Searching quantizers are the converter's rounders.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/types/codec.h"
#include "core/types/record.h"

namespace loam {

IntRange int_range(IntFormat f) {
  switch (f) {
    case IntFormat::none: return {1, 1};
    case IntFormat::u4: return {0, 15};
    case IntFormat::u6: return {0, 63};
    case IntFormat::i6: return {-32, 31};
    case IntFormat::u8: return {0, 255};
    case IntFormat::i8: return {-128, 127};
    case IntFormat::st8: return {-63, 63};
    case IntFormat::st5: return {-6, 6};
  }
  return {1, 1};
}

IntRange offset_range(const TypeInfo& type) {
  IntRange range = int_range(type.m);
  if (type.family == Family::grid) range.high = std::min(range.high, 127);  // v = s * L - m stays an int8
  return range;
}

namespace {

using Range = IntRange;

int code_count(const TypeInfo& t) { return 1 << t.bits; }

// The code whose level is nearest to x, of one table. Levels are integers, so midpoints are multiples of 1/2 and the
// answer is constant between two of them: one entry per half.
class NearestCode {
 public:
  NearestCode(const TypeInfo& type, int t) {
    for (int i = 0; i < kEntries; ++i) {
      const float x = (float(i) + 0.5f) / 2 - kReach;
      for (int c = 1; c < code_count(type); ++c) {
        if (std::fabs(x - float(level_of(type, c, t))) < std::fabs(x - float(level_of(type, codes_[i], t))))
          codes_[i] = uint8_t(c);
      }
    }
  }
  int operator()(float x) const {
    return codes_[int((std::clamp(x, -float(kReach), float(kReach) - 0.5f) + kReach) * 2)];
  }

 private:
  static constexpr int kReach = 130, kEntries = 4 * kReach;
  uint8_t codes_[kEntries] = {};
};

// Both tables of a type, made once per thread.
const NearestCode* nearest_codes(const TypeInfo& type) {
  thread_local std::map<uint16_t, std::array<NearestCode, 2>> made;
  auto it = made.find(type.id);
  if (it == made.end())
    it = made.insert({type.id, {NearestCode(type, 0), NearestCode(type, type.tables[1] ? 1 : 0)}}).first;
  return it->second.data();
}

int nearest_code(const TypeInfo& type, const NearestCode* tables, int t, float x) {
  if (type.has_table()) return tables[t](x);
  const int low = type.bits == 8 ? 1 : 0;  // -128 is left out, so that levels are symmetric
  return std::clamp(int(std::lrint(std::clamp(x, -300.f, 300.f))) + type.zero, low, code_count(type) - 1);
}

Range level_range(const TypeInfo& type, int t) {
  Range r{1 << 20, -(1 << 20)};
  for (int c = type.bits == 8 ? 1 : 0; c < code_count(type); ++c) {
    r.low = std::min(r.low, level_of(type, c, t));
    r.high = std::max(r.high, level_of(type, c, t));
  }
  return r;
}

struct Fit {
  float scale = 0, offset = 0;
  int t = 0;
};  // w ~ scale * level(t) - offset

float squared_error(const TypeInfo& type, std::span<const float> w, int t, float scale, float offset) {
  const NearestCode* tables = type.has_table() ? nearest_codes(type) : nullptr;
  float error = 0;
  for (float x : w) {
    const int code = scale == 0 ? 0 : nearest_code(type, tables, t, (x + offset) / scale);
    const float e = scale * float(level_of(type, code, t)) - offset - x;
    error += e * e;
  }
  return error;
}

// Symmetric: the extreme value goes to one of the two end levels, slightly stretched; the best of all wins.
Fit fit_symmetric(const TypeInfo& type, std::span<const float> w, bool signed_scale) {
  float extreme = 0;
  for (float x : w) extreme = std::fabs(x) > std::fabs(extreme) ? x : extreme;
  Fit best;
  if (extreme == 0) return best;
  float best_error = std::numeric_limits<float>::infinity();
  const bool search = type.bits < 8;
  for (int t = 0; t < (type.tables[1] ? 2 : 1); ++t) {
    const Range r = level_range(type, t);
    for (int end : {r.low, r.high}) {
      for (float stretch : {1.f, 0.92f, 1.08f}) {
        const float scale = extreme / (float(end) * stretch);
        if (!std::isfinite(scale) || (!signed_scale && scale < 0 && end == r.low)) continue;
        const float candidate = signed_scale ? scale : std::fabs(scale);
        const float error = squared_error(type, w, t, candidate, 0);
        if (error < best_error) best_error = error, best = {candidate, 0, t};
        if (!search) break;
      }
    }
  }
  return best;
}

// Affine: lowest value to the lowest level, highest to the highest. An offset that must not be negative keeps 0 inside.
Fit fit_affine(const TypeInfo& type, std::span<const float> w, bool free_offset) {
  const auto [low, high] = std::minmax_element(w.begin(), w.end());
  const Range r = level_range(type, 0);
  const float a = free_offset ? *low : std::min(*low, 0.f), b = free_offset ? *high : std::max(*high, 0.f);
  const float scale = (b - a) / float(r.high - r.low);
  return {scale, scale * float(r.low) - a, 0};
}

bool is_affine(const TypeInfo& t) { return t.e != FloatFormat::none || t.m != IntFormat::none; }

// D (or E) such that the largest of `values` fits the integer range; the values are then value / D, rounded.
uint32_t common_scale(FloatFormat format, std::span<const float> values, Range range) {
  float largest = 0;
  for (float v : values) largest = std::fabs(v) > std::fabs(largest) ? v : largest;
  const int limit = std::max(range.high, -range.low);
  const bool asymmetric = -range.low > range.high && range.low < 0;
  const float scale = asymmetric ? largest / float(range.low) : std::fabs(largest) / float(limit);
  return float_to_bits(format, scale);
}

int ratio(float value, float unit, Range range) {
  const float q = unit == 0 ? 0 : value / unit;
  const int r = int(std::lrint(std::clamp(q, -300.f, 300.f)));
  return std::clamp(r, range.low, range.high);
}

// One block of D: fits, common scales, integers and codes.
class BlockQuantizer {
 public:
  BlockQuantizer(const TypeInfo& type, std::span<const float> row, RowFields& out)
      : type_(type), row_(row), out_(out) {}

  void run(size_t first, size_t count, size_t block) {
    const size_t step = type_.group ? type_.group : count;
    fits_.clear();
    for (size_t i = 0; i < count; i += step) fits_.push_back(fit(row_.subspan(first + i, std::min(step, count - i))));
    choose_floats(block);
    for (size_t i = 0, f = 0; i < count; i += step, ++f)
      round_group(first + i, std::min(step, count - i), block, fits_[f]);
  }

 private:
  Fit fit(std::span<const float> w) const {
    const bool signed_scale =
        type_.s == IntFormat::none ? type_.d != FloatFormat::e8m0_half : int_range(type_.s).low < 0;
    return is_affine(type_) ? fit_affine(type_, w, type_.e != FloatFormat::none && type_.m == IntFormat::none)
                            : fit_symmetric(type_, w, signed_scale);
  }

  void choose_floats(size_t block) {
    std::vector<float> scales, offsets;
    for (const Fit& f : fits_) scales.push_back(f.scale), offsets.push_back(f.offset);
    if (type_.s == IntFormat::none) {
      const auto largest =
          *std::max_element(scales.begin(), scales.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
      out_.d[block] = float_to_bits(type_.d, largest);
    } else {
      out_.d[block] = common_scale(type_.d, scales, int_range(type_.s));
    }
    if (type_.e == FloatFormat::none) return;
    out_.e[block] = type_.m == IntFormat::none ? float_to_bits(type_.e, offsets[0])
                                               : common_scale(type_.e, offsets, int_range(type_.m));
  }

  void round_group(size_t first, size_t count, size_t block, const Fit& f) {
    const float d = float_from_bits(type_.d, out_.d[block]);
    const size_t g = type_.group ? first / type_.group : 0;
    if (type_.s != IntFormat::none) out_.s[g] = int16_t(ratio(f.scale, d, int_range(type_.s)));
    if (type_.m != IntFormat::none) {
      const float unit = type_.e != FloatFormat::none ? float_from_bits(type_.e, out_.e[block]) : d;
      out_.m[g] = int16_t(ratio(f.offset, unit, offset_range(type_)));
    }
    if (!out_.t.empty()) out_.t[g] = uint8_t(f.t);
    choose_codes(type_, row_.data(), first, count, out_);
  }

  const TypeInfo& type_;
  std::span<const float> row_;
  RowFields& out_;
  std::vector<Fit> fits_;
};

}  // namespace

void choose_codes(const TypeInfo& type, const float* row, size_t first, size_t count, RowFields& f) {
  const NearestCode* tables = type.has_table() ? nearest_codes(type) : nullptr;
  const size_t g = type.group ? first / type.group : 0, b = type.block ? first / type.block : 0;
  const float d = float_from_bits(type.d, f.d[b]), scale = f.s.empty() ? d : d * float(f.s[g]);
  float offset = f.e.empty() ? 0.f : float_from_bits(type.e, f.e[b]);
  if (!f.m.empty()) offset = (f.e.empty() ? d : offset) * float(f.m[g]);
  const int t = f.t.empty() ? 0 : f.t[g];
  for (size_t i = first; i < first + count; ++i)
    f.codes[i] = uint8_t(nearest_code(type, tables, t, scale == 0 ? 0.f : (row[i] + offset) / scale));
}

void quantize_row(const TypeInfo& type, int64_t k, const float* row, RowFields& fields) {
  fields.resize(type, k);
  std::vector<float> padded(fields.codes.size(), 0.f);
  std::copy(row, row + k, padded.begin());
  for (int64_t j = 0; j < k; ++j) {
    if (!std::isfinite(row[j]))
      fail(Code::bad_argument, "value %lld of the row is %f: %s holds finite numbers only", (long long)j,
           double(row[j]), std::string(type.name).c_str());
  }
  BlockQuantizer quantizer(type, padded, fields);
  const size_t block = type.block ? type.block : padded.size();
  for (size_t first = 0, b = 0; first < padded.size(); first += block, ++b)
    quantizer.run(first, std::min(block, padded.size() - first), b);
}

}  // namespace loam
