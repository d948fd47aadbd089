#include "formats/container/metadata_codec.h"

#include "formats/container/layout.h"

namespace loam {
namespace {

using namespace container;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_text(std::string& out, std::string_view text) {
  if (text.size() > UINT32_MAX)
    fail(Code::bad_argument, "metadata text of %zu bytes, expected less than 4 GiB", text.size());
  put(out, uint32_t(text.size()));
  out += text;
}

// Overloads by stored type; ids in the order of MetaValue's alternatives.
void put_value(std::string& out, bool v) { put(out, uint8_t(v)); }
void put_value(std::string& out, int64_t v) { put(out, v); }
void put_value(std::string& out, double v) { put(out, v); }
void put_value(std::string& out, const std::string& v) { put_text(out, v); }
template <class T>
void put_value(std::string& out, const std::vector<T>& values) {
  put(out, uint64_t(values.size()));
  for (const auto& v : values) put_value(out, static_cast<const T&>(v));
}
constexpr uint8_t kTypeOf[] = {kBool,          kInt,          kDouble,          kText,
                               kArray + kBool, kArray + kInt, kArray + kDouble, kArray + kText};

std::string_view read_text(ByteReader& in, const char* what) { return in.text(in.read<uint32_t>(what), what); }

bool read_bool(ByteReader& in, const char* key) {
  const uint8_t value = in.read<uint8_t>(key);
  if (value > 1) in.bad("'%s' is a boolean of value %d, expected 0 or 1", key, value);
  return value != 0;
}

template <class T, class Read>
MetaValue read_array(ByteReader& in, uint64_t least, const char* key, Read read) {
  const uint64_t count = in.read<uint64_t>(key);
  in.check_count(count, least, "array elements");
  std::vector<T> values;
  values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) values.push_back(read());
  return values;
}

MetaValue read_value(ByteReader& in, uint8_t type, const char* key) {
  const auto boolean = [&] { return read_bool(in, key); };
  const auto integer = [&] { return in.read<int64_t>(key); };
  const auto number = [&] { return in.read<double>(key); };
  const auto text = [&] { return std::string(read_text(in, key)); };
  switch (type) {
    case kBool: return boolean();
    case kInt: return integer();
    case kDouble: return number();
    case kText: return text();
    case kArray + kBool: return read_array<bool>(in, 1, key, boolean);
    case kArray + kInt: return read_array<int64_t>(in, 8, key, integer);
    case kArray + kDouble: return read_array<double>(in, 8, key, number);
    case kArray + kText: return read_array<std::string>(in, 4, key, text);
    default: in.bad("'%s' has value type %u, which is unknown", key, type);
  }
}

}  // namespace

std::string encode_metadata(const Metadata& metadata) {
  std::string out;
  put(out, uint64_t(metadata.values().size()));
  for (const auto& [key, value] : metadata.values()) {
    put_text(out, key);
    put(out, kTypeOf[value.index()]);
    std::visit([&](const auto& v) { put_value(out, v); }, value);
  }
  return out;
}

Metadata decode_metadata(ByteReader in) {
  const uint64_t count = in.read<uint64_t>("the number of entries");
  in.check_count(count, 4 + 1 + 1, "entries");
  Metadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    std::string key(read_text(in, "a key"));
    const std::string shown = printable(key);
    if (i > 0 && key <= metadata.values().rbegin()->first) in.bad("key '%s' is not in order", shown.c_str());
    const uint8_t type = in.read<uint8_t>(shown);
    metadata.set(std::move(key), read_value(in, type, shown.c_str()));
  }
  if (in.remaining() != 0) in.bad("%llu bytes too many after the last entry", (unsigned long long)in.remaining());
  return metadata;
}

}  // namespace loam
