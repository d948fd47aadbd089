#include "formats/gguf/gguf_metadata.h"

#include <limits>
#include <utility>

namespace loam {
namespace {

constexpr uint64_t kMaxElements = uint64_t(1) << 26;  // a vocabulary has at most a few million
constexpr uint64_t kMaxKeyBytes = 65535;              // the format's own limit

// Value types as GGUF numbers them.
enum GgufType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

bool is_integer(uint32_t type) { return type <= i32 || type == u64 || type == i64; }
bool is_float(uint32_t type) { return type == f32 || type == f64; }

uint64_t value_bytes(uint32_t type) {
  static constexpr uint8_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};  // of string, array: at least
  return kBytes[type];
}

int64_t read_integer(ByteReader& in, uint32_t type, std::string_view key) {
  switch (type) {
    case u8: return in.read<uint8_t>(key);
    case i8: return in.read<int8_t>(key);
    case u16: return in.read<uint16_t>(key);
    case i16: return in.read<int16_t>(key);
    case u32: return in.read<uint32_t>(key);
    case i32: return in.read<int32_t>(key);
    case i64: return in.read<int64_t>(key);
    default: break;
  }
  const uint64_t value = in.read<uint64_t>(key);
  if (value > uint64_t(std::numeric_limits<int64_t>::max()))
    in.bad("metadata '%.*s' is %llu, expected less than 2^63", int(key.size()), key.data(), (unsigned long long)value);
  return int64_t(value);
}

double read_float(ByteReader& in, uint32_t type, std::string_view key) {
  return type == f32 ? double(in.read<float>(key)) : in.read<double>(key);
}

bool read_bool(ByteReader& in, std::string_view key) {
  const uint8_t value = in.read<uint8_t>(key);
  if (value > 1)
    in.bad("metadata '%.*s' is a boolean of value %d, expected 0 or 1", int(key.size()), key.data(), value);
  return value != 0;
}

template <class T, class Read>
std::vector<T> read_elements(uint64_t count, Read read) {
  std::vector<T> values;
  values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) values.emplace_back(read());
  return values;
}

MetaValue read_array(ByteReader& in, const char* key) {
  const std::string_view name = key;  // read for every element
  const uint32_t type = in.read<uint32_t>(key);
  if (type == array) in.bad("metadata '%s' is an array of arrays; only flat arrays are understood", key);
  if (type > f64) in.bad("metadata '%s' is an array of unknown type %u, expected 0 to 12", key, type);
  const uint64_t count = in.read<uint64_t>(key);
  in.check_count(count, value_bytes(type), "array elements");
  if (count > kMaxElements) {
    in.bad("metadata '%s' is an array of %llu elements, expected at most %llu", key, (unsigned long long)count,
           (unsigned long long)kMaxElements);
  }
  if (is_integer(type)) return read_elements<int64_t>(count, [&] { return read_integer(in, type, name); });
  if (is_float(type)) return read_elements<double>(count, [&] { return read_float(in, type, name); });
  if (type == boolean) return read_elements<bool>(count, [&] { return read_bool(in, name); });
  return read_elements<std::string>(count, [&] { return read_gguf_string(in, name); });
}

MetaValue read_value(ByteReader& in, uint32_t type, const char* key) {
  if (type == array) return read_array(in, key);
  if (type == string) return std::string(read_gguf_string(in, key));
  if (type == boolean) return read_bool(in, key);
  if (is_float(type)) return read_float(in, type, key);
  if (is_integer(type)) return read_integer(in, type, key);
  in.bad("metadata '%s' has unknown type %u, expected 0 to 12", key, type);
}

}  // namespace

std::string_view read_gguf_string(ByteReader& in, std::string_view what) {
  return in.text(in.read<uint64_t>(what), what);
}

Metadata read_gguf_metadata(ByteReader& in, uint64_t count) {
  in.check_count(count, 8 + 1 + 4 + 1, "metadata entries");
  Metadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string key(read_gguf_string(in, "a metadata key"));
    const std::string shown = printable(key);
    if (key.empty() || key.size() > kMaxKeyBytes)
      in.bad("metadata key %llu has %zu bytes, expected 1 to 65535", (unsigned long long)i, key.size());
    if (metadata.has(key)) in.bad("metadata key '%s' occurs twice", shown.c_str());
    const uint32_t type = in.read<uint32_t>(shown);
    metadata.set(key, read_value(in, type, shown.c_str()));
  }
  return metadata;
}

}  // namespace loam
