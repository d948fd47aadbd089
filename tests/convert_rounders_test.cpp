// Every rounder with every type: never worse than nearest rounding, and clear about what it cannot round.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/error.h"
#include "core/types/codec.h"
#include "tools/convert/rounders/rounder.h"

using namespace loam;

namespace {

// Sum of squared differences of `count` rows to what a rounder stores for them.
double rounding_error(const Rounder& rounder, const TypeInfo& type, int64_t k, const std::vector<float>& rows,
                      int count) {
  std::vector<std::byte> record(row_block_bytes(type, k), std::byte(0xAA));
  rounder.round(type, k, rows.data(), count, record.data());
  std::vector<float> stored(static_cast<size_t>(k));
  double error = 0;
  for (int i = 0; i < 16; ++i) {
    dequantize_row(type, k, record.data(), i, stored.data());
    for (size_t j = 0; j < stored.size(); ++j) {
      const double e = double(stored[j]) - (i < count ? double(rows[size_t(i) * stored.size() + j]) : 0);
      if (i < count) error += e * e;
    }
  }
  return error;
}

std::vector<float> heavy_tailed(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.02f);
  std::vector<float> out(n);
  for (float& x : out) x = normal(random) * (random() % 64 ? 1.f : 5.f);
  return out;
}

}  // namespace

TEST_CASE("no rounder is worse than nearest, on any type and size") {
  const Rounder& nearest = *find_rounder("nearest");
  for (const Rounder& rounder : all_rounders()) {
    double better = 0, types = 0;
    for (const TypeInfo& type : all_types()) {
      for (const int64_t k : {1, 31, 32, 96, 576}) {
        const int count = k == 576 ? 16 : 3;
        const uint32_t seed = uint32_t(k * 131 + type.id);
        CAPTURE(rounder.name);
        CAPTURE(type.name);
        CAPTURE(k);
        CAPTURE(seed);
        const std::vector<float> rows = heavy_tailed(size_t(count * k), seed);
        const double error = rounding_error(rounder, type, k, rows, count);
        const double limit = rounding_error(nearest, type, k, rows, count);
        CHECK(error <= limit);
        if (k == 576 && type.family != Family::plain) types += 1, better += error < 0.98 * limit;
      }
    }
    if (rounder.name == "search") CHECK(better > types / 2);  // it does move something
  }
}

TEST_CASE("rounders take zeros and refuse what is not finite") {
  for (const Rounder& rounder : all_rounders()) {
    for (const TypeInfo& type : all_types()) {
      if (type.family == Family::plain) continue;
      CAPTURE(rounder.name);
      CAPTURE(type.name);
      std::vector<float> rows(64, 0.f);
      CHECK(rounding_error(rounder, type, 64, rows, 1) == 0);
      rows[17] = std::numeric_limits<float>::quiet_NaN();
      CHECK_THROWS_AS(rounding_error(rounder, type, 64, rows, 1), Error);
    }
  }
}
