// Import of ggml's types: equal to the golden values bit for bit, and the fast packer equal to its definition.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

#include "core/types/record.h"
#include "formats/gguf/import_types.h"
#include "formats/row_block.h"
#include "tests/golden_gguf.h"

using namespace loam;

namespace {

const std::byte* bytes_of(const std::string& s) { return reinterpret_cast<const std::byte*>(s.data()); }

size_t row_bytes(const GgmlType& t, int64_t k) { return size_t(k / t.block_values * t.block_bytes); }

// The type that follows this one as the pack test's random fields: any code, s, m and t that the format can hold.
RowFields random_fields(const TypeInfo& type, int64_t k, const golden::Stream& random, uint64_t& next) {
  RowFields f;
  f.resize(type, k);
  const auto pick = [&](int low, int high) { return low + int(random[next++] % uint64_t(high - low + 1)); };
  for (int64_t i = 0; i < k; ++i) f.codes[size_t(i)] = uint8_t(pick(0, (1 << type.bits) - 1));
  const auto integers = [&](IntFormat format, std::vector<int16_t>& values) {
    const uint32_t bits = int_format_bits(format);
    for (int16_t& v : values) {
      if (format == IntFormat::st8 || format == IntFormat::st5)
        v = int16_t(pick(1, format == IntFormat::st8 ? 63 : 7));
      else if (format == IntFormat::i6)
        v = int16_t(pick(-32, 31));
      else if (format == IntFormat::i8)
        v = int16_t(pick(-128, 127));
      else
        v = int16_t(pick(0, (1 << bits) - 1));
      if ((format == IntFormat::st8 || format == IntFormat::st5) && pick(0, 1)) v = int16_t(-v);
    }
  };
  integers(type.s, f.s), integers(type.m, f.m);
  const bool has_t = type.s == IntFormat::st8 || type.s == IntFormat::st5;
  for (uint8_t& t : f.t) t = uint8_t(has_t ? pick(0, 1) : 0);
  for (uint32_t& d : f.d) d = uint32_t(pick(0, type.d == FloatFormat::e8m0_half ? 255 : 0xffff));
  for (uint32_t& e : f.e) e = uint32_t(pick(0, 0xffff));
  return f;
}

}  // namespace

TEST_CASE("every golden block is imported bit for bit") {
  for (const auto& golden : golden::load_golden_blocks()) {
    CAPTURE(golden.name);
    const GgmlType* type = find_ggml_type(golden.id);
    REQUIRE(type);
    REQUIRE(type->name == golden.name);
    const TypeInfo& stored = import_type_of(*type, "t");
    std::vector<std::byte> record(row_block_bytes(stored, golden.k));
    REQUIRE(golden.n <= kTileRows);
    CHECK(import_row_block(*type, golden.k, bytes_of(golden.raw), int(golden.n), record.data()));
    std::vector<float> row(size_t(golden.k)), direct(size_t(golden.k));
    int64_t wrong = 0;
    for (int64_t n = 0; n < golden.n; ++n) {
      dequantize_row(stored, golden.k, record.data(), int(n), row.data());
      import_row_f32(*type, golden.k, bytes_of(golden.raw) + size_t(n) * row_bytes(*type, golden.k), direct.data());
      CHECK(std::memcmp(row.data(), direct.data(), row.size() * sizeof(float)) == 0);
      for (int64_t i = 0; i < golden.k; ++i) {
        const float expected = golden.values[size_t(n * golden.k + i)];
        wrong += std::bit_cast<uint32_t>(row[size_t(i)]) != std::bit_cast<uint32_t>(expected);
      }
    }
    CHECK(wrong == 0);
    for (int n = int(golden.n); n < kTileRows; ++n) {
      dequantize_row(stored, golden.k, record.data(), n, row.data());
      for (const float x : row) REQUIRE(x == 0);
    }
  }
}

TEST_CASE("every importable type has an importer, every importer a type") {
  for (const ImportType& i : all_import_types()) {
    const GgmlType* type = find_ggml_type(i.ggml);
    REQUIRE(type);
    CHECK(find_type(type->stored_as) != nullptr);
  }
  for (const GgmlType& type : all_ggml_types()) {
    if (type.stored_as.empty()) {
      CHECK_THROWS_WITH_AS(import_type_of(type, "blk.0.x"), doctest::Contains("'blk.0.x'"), Error);
      continue;
    }
    const TypeInfo& stored = import_type_of(type, "blk.0.x");
    if (stored.family == Family::plain) continue;
    CAPTURE(type.name);
    bool found = false;
    for (const ImportType& i : all_import_types()) found |= i.ggml == type.id;
    CHECK(found);
  }
}

TEST_CASE("imported tensors take at most 3 % more bytes, whatever their columns") {
  constexpr int64_t kRows = 4096;
  for (const GgmlType& source : all_ggml_types()) {
    if (source.stored_as.empty() || std::string_view(source.name) == "TQ1_0") continue;  // stored in 2 bits
    const TypeInfo& stored = import_type_of(source, "t");
    CAPTURE(source.name);
    const int64_t step = std::max<int64_t>(32, source.block_values);
    for (int64_t k = step; k <= 4096; k += step) {
      CAPTURE(k);
      REQUIRE(double(matrix_bytes(stored, kRows, k)) <= 1.03 * double(kRows) * double(row_bytes(source, k)));
    }
  }
}

TEST_CASE("the row block packer writes what pack_row writes, for every type and size") {
  const uint64_t seed = 7;
  CAPTURE(seed);
  const golden::Stream random(seed, "pack");
  uint64_t next = 0;
  for (const TypeInfo& type : all_types()) {
    if (type.family == Family::plain) continue;
    for (const int64_t k : {32, 64, 96, 256, 576, 640, 896}) {
      for (const int count : {1, 3, 16}) {
        CAPTURE(type.name);
        CAPTURE(k);
        CAPTURE(count);
        std::vector<RowFields> rows;
        for (int i = 0; i < count; ++i) rows.push_back(random_fields(type, k, random, next));
        std::vector<std::byte> expected(row_block_bytes(type, k)), got(expected.size(), std::byte(0xAA));
        for (int i = 0; i < count; ++i) pack_row(type, k, rows[size_t(i)], i, expected.data());
        pack_row_block(type, k, rows.data(), count, got.data());
        CHECK(expected == got);
      }
    }
  }
}

TEST_CASE("plain rows of odd length are padded with zeros") {
  for (const char* name : {"f32", "f16", "bf16"}) {
    const TypeInfo& type = *find_type(name);
    for (const int64_t k : {1, 31, 33}) {
      std::vector<float> values;
      for (int64_t i = 0; i < 5 * k; ++i) values.push_back(float(i % 97) - 40);
      std::vector<std::byte> raw;
      for (const float x : values) {
        const uint32_t bits = float_to_bits(type.plain, x);
        const auto* p = reinterpret_cast<const std::byte*>(&bits);
        raw.insert(raw.end(), p, p + float_format_bytes(type.plain));
      }
      std::vector<std::byte> expected(row_block_bytes(type, k)), got(expected.size(), std::byte(0xAA));
      quantize_row_block(type, k, values.data(), 5, expected.data());
      pack_plain_block(type, k, raw.data(), raw.size() / 5, 5, got.data());
      CHECK(expected == got);
    }
  }
}

TEST_CASE("scales that are not finite are noticed") {
  for (const auto& t : golden::ggml_types()) {
    if (t.halves[0] < 0 && t.id != 0) continue;
    CAPTURE(t.name);
    const GgmlType& type = *find_ggml_type(t.id);
    const int64_t k = 256;
    std::string raw = golden::random_blocks(t, 3, t.name, k);
    std::vector<std::byte> record(row_block_bytes(import_type_of(type, "t"), k));
    CHECK(import_row_block(type, k, bytes_of(raw), 1, record.data()));
    const size_t last = raw.size() - size_t(t.bytes);  // of the last block
    const uint32_t inf32 = 0x7f800000;
    if (t.id == 0)
      std::memcpy(&raw[last], &inf32, 4);
    else
      raw[last + size_t(t.halves[0])] = 1, raw[last + size_t(t.halves[0]) + 1] = char(t.id == 30 ? 0x7f : 0x7c);
    if (t.id == 30) raw[last] = char(0x81);
    CHECK_FALSE(import_row_block(type, k, bytes_of(raw), 1, record.data()));
  }
}
