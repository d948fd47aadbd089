// Reads protobuf's wire format field by field. Fails with bad_file where bytes are cut or not what they should be.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace loam {

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : bytes_(bytes) {}

  // Goes to the next field; false: the end.
  bool next() {
    if (at_ == bytes_.size()) return false;
    const uint64_t tag = read_varint();
    field_ = uint32_t(tag >> 3), wire_ = uint32_t(tag & 7);
    if (tag >> 3 == 0 || tag >> 3 >= 1u << 29) fail(Code::bad_file, "protobuf: no field has this number");
    value_ = 0, text_ = {};
    switch (wire_) {
      case 0: value_ = read_varint(); break;
      case 1: take(8); break;
      case 2: take(read_varint()); break;
      case 5: take(4); break;
      default: fail(Code::bad_file, "protobuf: field %u has the unknown wire type %u", field_, wire_);
    }
    return true;
  }
  uint32_t field() const { return field_; }
  uint64_t varint() const { return expect(0), value_; }
  int32_t int32() const { return int32_t(uint32_t(varint())); }
  bool boolean() const { return varint() != 0; }
  std::string_view text() const { return expect(2), text_; }
  float real() const {
    expect(5);
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; ++i) bits |= uint32_t(uint8_t(text_[i])) << (8 * i);
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

 private:
  void expect(uint32_t wire) const {
    if (wire_ != wire) fail(Code::bad_file, "protobuf: field %u has wire type %u instead of %u", field_, wire_, wire);
  }
  void take(uint64_t count) {
    if (count > bytes_.size() - at_) fail(Code::bad_file, "protobuf: field %u is cut off", field_);
    text_ = bytes_.substr(at_, count);
    at_ += count;
  }
  uint64_t read_varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ == bytes_.size()) break;
      const auto byte = uint8_t(bytes_[at_++]);
      if (shift < 64) value |= uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail(Code::bad_file, "protobuf: a number is cut off");
  }

  std::string_view bytes_, text_;
  size_t at_ = 0;
  uint32_t field_ = 0, wire_ = 0;
  uint64_t value_ = 0;
};

}  // namespace loam
