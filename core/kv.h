// Keys and values of one layer, in pages of 64 positions shared by all sequences. In a page, per kv head: keys as
// [d][position], so that scores of 16 positions are one vector; then values, [position][d]; d is padded to 16.
// q8: int8 codes, four to a lane: keys [d / 4][position][4], values [position / 4][d][4]; then one f32 scale per
// position of the keys, and of the values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/run.h"
#include "core/types/float_bits.h"

namespace loam {

enum class KvType : uint8_t { f16, f32, q8 };
constexpr std::string_view kKvTypes[] = {"f16", "f32", "q8"};  // names, by KvType

struct KvLayout {
  KvType type = KvType::f16;
  int64_t kv_heads = 0, head_dim = 0;

  size_t value_bytes() const { return type == KvType::q8 ? 1 : type == KvType::f16 ? 2 : 4; }
  size_t dims() const { return size_t(head_dim + 15) / 16 * 16; }
  size_t scales_bytes() const { return type == KvType::q8 ? kPageTokens * sizeof(float) : 0; }
  // Of keys, or of values, of a head in a page.
  size_t head_bytes() const { return kPageTokens * dims() * value_bytes(); }
  size_t page_bytes() const { return size_t(kv_heads) * 2 * (head_bytes() + scales_bytes()); }
  // Byte offset of the keys (values, their scales) of a head in a page.
  size_t keys(size_t page, size_t head) const {
    return page * page_bytes() + head * 2 * (head_bytes() + scales_bytes());
  }
  size_t values(size_t page, size_t head) const { return keys(page, head) + head_bytes(); }
  size_t key_scales(size_t page, size_t head) const { return values(page, head) + head_bytes(); }
  size_t value_scales(size_t page, size_t head) const { return key_scales(page, head) + scales_bytes(); }
  // Index of one value, inside keys() or values().
  size_t key_index(size_t slot, size_t d) const {
    return type == KvType::q8 ? (d / 4 * kPageTokens + slot) * 4 + d % 4 : d * kPageTokens + slot;
  }
  size_t value_index(size_t slot, size_t d) const {
    return type == KvType::q8 ? (slot / 4 * dims() + d) * 4 + slot % 4 : slot * dims() + d;
  }
  bool operator==(const KvLayout&) const = default;
};

// Plain access for definitions; of q8 the codes.
inline float load_kv(KvType type, const std::byte* base, size_t index) {
  if (type == KvType::q8) return float(reinterpret_cast<const int8_t*>(base)[index]);
  return type == KvType::f16 ? f16_to_f32(reinterpret_cast<const uint16_t*>(base)[index])
                             : reinterpret_cast<const float*>(base)[index];
}
inline void store_kv(KvType type, std::byte* base, size_t index, float value) {
  if (type == KvType::q8)
    reinterpret_cast<int8_t*>(base)[index] = int8_t(int(value));
  else if (type == KvType::f16)
    reinterpret_cast<uint16_t*>(base)[index] = f32_to_f16(value);
  else
    reinterpret_cast<float*>(base)[index] = value;
}

}  // namespace loam
