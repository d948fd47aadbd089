// Reads little-endian fields from bytes of strangers: every read is checked, errors name the file, the field and the
// byte position.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"

namespace loam {

static_assert(std::endian::native == std::endian::little, "Loam's files are mapped and used in place");

// A name from a file as an error message can show it: no control bytes, not too long.
inline std::string printable(std::string_view name) {
  std::string shown;
  for (const char c : name.substr(0, 80)) shown += uint8_t(c) < 0x20 || c == 0x7f ? '?' : c;
  return name.size() > 80 ? shown + "..." : shown;
}

class ByteReader {
 public:
  // `base` is where `bytes` begin in the file, for messages.
  ByteReader(std::span<const std::byte> bytes, std::string path, uint64_t base = 0)
      : bytes_(bytes), path_(std::move(path)), base_(base) {}

  uint64_t position() const { return base_ + at_; }
  uint64_t remaining() const { return bytes_.size() - at_; }

  std::span<const std::byte> take(uint64_t count, std::string_view what) {
    if (count > remaining()) {
      bad("%.*s needs %llu bytes, but only %llu are left; the file is cut short or was written wrongly",
          int(what.size()), what.data(), (unsigned long long)count, (unsigned long long)remaining());
    }
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  template <class T>
  T read(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  std::string_view text(uint64_t size, std::string_view what) {
    const auto part = take(size, what);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  // A count of things that take at least `least` bytes each: never more than the bytes can hold.
  void check_count(uint64_t count, uint64_t least, std::string_view what) const {
    if (count > remaining() / least) {
      bad("%llu %.*s announced, but the %llu bytes that are left cannot hold them", (unsigned long long)count,
          int(what.size()), what.data(), (unsigned long long)remaining());
    }
  }

  // Throws Error{bad_file} with the file's name and the byte position.
  [[noreturn, gnu::format(printf, 2, 3)]] void bad(const char* format, ...) const {
    char text[640];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fail(Code::bad_file, "%s: byte %llu: %s", path_.c_str(), (unsigned long long)position(), text);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string path_;
  uint64_t base_, at_ = 0;
};

}  // namespace loam
