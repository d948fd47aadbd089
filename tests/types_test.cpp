// Every row of the type table: pack/unpack, quantize/dequantize, sizes.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/error.h"
#include "core/types/codec.h"
#include "core/types/record.h"

using namespace loam;

namespace {

constexpr int64_t kSizes[] = {1, 7, 31, 32, 33, 64, 576, 640, 896, 1536, 8960};

std::vector<float> normal_values(size_t n, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0.f, 0.05f);
  std::vector<float> v(n);
  for (float& x : v) x = normal(rng);
  return v;
}

RowFields random_fields(const TypeInfo& t, int64_t k, std::mt19937& rng) {
  RowFields f;
  f.resize(t, k);
  const auto fill = [&](auto& values, IntFormat format) {
    for (auto& v : values) {
      switch (format) {
        case IntFormat::u4: v = int16_t(rng() % 16); break;
        case IntFormat::u6: v = int16_t(rng() % 64); break;
        case IntFormat::i6: v = int16_t(int(rng() % 64) - 32); break;
        case IntFormat::u8: v = int16_t(rng() % 256); break;
        case IntFormat::i8: v = int16_t(int(rng() % 256) - 128); break;
        case IntFormat::st8: v = int16_t(int(rng() % 127) - 63); break;
        case IntFormat::st5: v = int16_t(int(rng() % 15) - 7); break;
        case IntFormat::none: break;
      }
    }
  };
  for (auto& c : f.codes) c = uint8_t(rng() % (1u << t.bits));
  fill(f.s, t.s);
  fill(f.m, t.m);
  if (t.s == IntFormat::st8 || t.s == IntFormat::st5)
    for (auto& x : f.t) x = uint8_t(rng() % 2);
  for (auto* values : {&f.d, &f.e})
    for (auto& bits : *values)
      bits = values == &f.d ? float_to_bits(t.d, 0.01f * float(1 + rng() % 100)) : float_to_bits(t.e, 0.02f);
  return f;
}

// Relative RMSE that nearest rounding of normal values must reach, by width. A wrong plane or scale is far above.
double allowed_error(const TypeInfo& t) {
  if (t.family == Family::plain) return t.bits == 32 ? 0 : t.plain == FloatFormat::f16 ? 5e-4 : 4e-3;
  const double by_bits[] = {0, 0, 0.60, 0.30, 0.20, 0.09, 0.06, 0, 0.02};
  return by_bits[t.bits];
}

}  // namespace

TEST_CASE("fields survive the record, whatever the row and the neighbours") {
  std::mt19937 rng(7);
  for (const TypeInfo& t : all_types()) {
    if (t.family == Family::plain) continue;
    for (int64_t k : kSizes) {
      CAPTURE(t.name);
      CAPTURE(k);
      std::vector<std::byte> record(row_block_bytes(t, k));
      std::vector<RowFields> rows;
      for (int r = 0; r < 16; ++r) {
        rows.push_back(random_fields(t, k, rng));
        pack_row(t, k, rows.back(), r, record.data());
      }
      RowFields back;
      for (int r = 0; r < 16; ++r) {
        unpack_row(t, k, record.data(), r, back);
        CHECK(back.codes == rows[size_t(r)].codes);
        CHECK(back.s == rows[size_t(r)].s);
        CHECK(back.m == rows[size_t(r)].m);
        CHECK(back.t == rows[size_t(r)].t);
        CHECK(back.d == rows[size_t(r)].d);
        CHECK(back.e == rows[size_t(r)].e);
      }
    }
  }
}

TEST_CASE("nearest rounding comes close, for every type and size") {
  for (const TypeInfo& t : all_types()) {
    for (int64_t k : kSizes) {
      for (int rows : {1, 15, 16}) {
        const std::vector<float> w = normal_values(size_t(k * rows), uint32_t(k + rows));
        std::vector<std::byte> record(row_block_bytes(t, k));
        quantize_row_block(t, k, w.data(), rows, record.data());
        double error = 0, power = 0;
        std::vector<float> back(static_cast<size_t>(k));
        for (int r = 0; r < rows; ++r) {
          dequantize_row(t, k, record.data(), r, back.data());
          for (size_t j = 0; j < back.size(); ++j) {
            const double x = w[size_t(r) * back.size() + j];
            error += (back[j] - x) * (back[j] - x);
            power += x * x;
          }
        }
        CAPTURE(t.name);
        CAPTURE(k);
        CAPTURE(rows);
        if (k >= 32)
          CHECK(std::sqrt(error / power) <= allowed_error(t));
        else
          CHECK(std::isfinite(error));
      }
    }
  }
}

TEST_CASE("zeros stay zeros, tiny and huge values stay finite") {
  for (const TypeInfo& t : all_types()) {
    for (float value : {0.f, 1e-30f, 1e4f}) {
      std::vector<float> w(64, value), back(64);
      w[3] = -value;
      std::vector<std::byte> record(row_block_bytes(t, 64));
      quantize_row_block(t, 64, w.data(), 1, record.data());
      dequantize_row(t, 64, record.data(), 0, back.data());
      CAPTURE(t.name);
      CAPTURE(value);
      for (float x : back) {
        CHECK(std::isfinite(x));
        if (value == 0) CHECK(x == 0);
      }
    }
  }
}

TEST_CASE("sizes follow the rows") {
  const auto bits = [](const char* name, int64_t n, int64_t k) { return bits_per_weight(*find_type(name), n, k); };
  CHECK(bits("n4", 16, 576) == doctest::Approx(4.25 + 16.0 / 576));
  CHECK(bits("n4h", 16, 2048) == 4.375);
  CHECK(bits("q4_0", 49152, 576) == 4.5);
  CHECK(bits("q4_1", 16, 2048) == 5.0);
  CHECK(bits("q4_k", 16, 2048) == 4.5);
  CHECK(bits("q6_k", 16, 2048) == 6.5625);
  CHECK(bits("q3_k", 16, 2048) == 3.4375);
  CHECK(bits("q2_k", 16, 2048) == 2.625);
  CHECK(bits("iq4_xs", 16, 2048) == 4.25);
  CHECK(bits("mxfp4", 16, 2048) == 4.25);
  CHECK(bits("tq2_0", 16, 2048) == 2.0625);
  CHECK(bits("f32", 17, 32) == doctest::Approx(32.0 * 32 / 17));
  CHECK_THROWS(matrix_bytes(*find_type("f32"), int64_t(1) << 41, 32));
  CHECK_THROWS(matrix_bytes(*find_type("f32"), 16, -1));
}

TEST_CASE("matrices are whole row blocks, the first and the last row come back") {
  for (const TypeInfo& t : all_types()) {
    for (int64_t n : {1, 15, 16, 17, 49152}) {
      CAPTURE(t.name);
      CAPTURE(n);
      const uint64_t block = row_block_bytes(t, 96);
      REQUIRE(matrix_bytes(t, n, 96) == uint64_t((n + 15) / 16) * block);
      std::vector<std::byte> matrix(matrix_bytes(t, n, 96));
      std::vector<float> back(96);
      for (int64_t row : {int64_t(0), n - 1}) {  // alone in its block, in its own lane
        std::vector<float> rows(16 * 96, 0.f);
        const std::vector<float> w = normal_values(96, uint32_t(row) + 1);
        std::copy(w.begin(), w.end(), rows.begin() + (row % 16) * 96);
        std::byte* record = matrix.data() + uint64_t(row / 16) * block;
        quantize_row_block(t, 96, rows.data(), int(std::min<int64_t>(16, n - row / 16 * 16)), record);
        dequantize_row(t, 96, record, int(row % 16), back.data());
        double error = 0, power = 0;
        for (size_t i = 0; i < 96; ++i) error += (w[i] - back[i]) * (w[i] - back[i]), power += w[i] * w[i];
        CHECK(std::sqrt(error / power) <= allowed_error(t) + 1e-12);
      }
    }
  }
}

TEST_CASE("f16 and bf16 convert exactly, halves to even, for every value") {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float f = f16_to_f32(uint16_t(h)), b = bf16_to_f32(uint16_t(h));
    if (!std::isnan(f)) CHECK(f32_to_f16(f) == h);
    if (!std::isnan(b)) CHECK(f32_to_bf16(b) == h);
  }
  CHECK(f16_to_f32(0x3c00) == 1.f);
  CHECK(f16_to_f32(0x0001) == 0x1p-24f);
  CHECK(f32_to_f16(65519.99f) == 0x7bff);
  CHECK(f32_to_f16(65520.f) == 0x7c00);
  CHECK(f32_to_f16(1.f + 0x1p-11f) == 0x3c00);  // a tie goes to even
  CHECK(f32_to_f16(1.f + 0x1.8p-10f) == 0x3c02);
  CHECK(std::isnan(f16_to_f32(f32_to_f16(NAN))));
  CHECK(std::isnan(bf16_to_f32(f32_to_bf16(NAN))));
  CHECK(e8m0_half_to_f32(128) == 1.f);
  CHECK(e8m0_half_to_f32(0) == 0x1p-128f);
}

TEST_CASE("what no quantized type can hold is refused") {
  std::vector<float> w(32, 1.f);
  w[5] = NAN;
  std::vector<std::byte> record(4096);
  CHECK_THROWS_AS(quantize_row_block(*find_type("n4"), 32, w.data(), 1, record.data()), Error);
}

TEST_CASE("a row added at run time behaves like the others") {
  static const TypeInfo row{.id = 999,
                            .name = "test_q4_g16",
                            .family = Family::grid,
                            .bits = 4,
                            .zero = 8,
                            .block = 16,
                            .d = FloatFormat::f16};
  REQUIRE((find_type("test_q4_g16") || add_type(row)));
  CHECK_FALSE(add_type(row));
  std::vector<float> w = normal_values(96, 3), back(96);
  std::vector<std::byte> record(row_block_bytes(*find_type("test_q4_g16"), 96));
  quantize_row_block(*find_type("test_q4_g16"), 96, w.data(), 1, record.data());
  dequantize_row(*find_type("test_q4_g16"), 96, record.data(), 0, back.data());
  double error = 0, power = 0;
  for (size_t i = 0; i < 96; ++i) error += (w[i] - back[i]) * (w[i] - back[i]), power += w[i] * w[i];
  CHECK(std::sqrt(error / power) < 0.12);
}
