// Keys and values of one layer, in pages of 64 positions shared by all sequences. In a page, per kv head: keys in tiles
// of 16 positions, [tile][d][16], so that scores of 16 positions are one vector; then values, [position][d].
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/run.h"
#include "core/types/float_bits.h"

namespace loam {

enum class KvType : uint8_t { f16, f32 };

struct KvLayout {
  KvType type = KvType::f16;
  int64_t kv_heads = 0, head_dim = 0;

  size_t value_bytes() const { return type == KvType::f16 ? 2 : 4; }
  size_t head_values() const { return size_t(kPageTokens) * size_t(head_dim); }  // of keys, or of values
  size_t page_bytes() const { return size_t(kv_heads) * 2 * head_values() * value_bytes(); }
  // Byte offset of the keys (values) of a head in a page.
  size_t keys(size_t page, size_t head) const { return page * page_bytes() + head * 2 * head_values() * value_bytes(); }
  size_t values(size_t page, size_t head) const { return keys(page, head) + head_values() * value_bytes(); }
  // Index of one value, inside keys() or values().
  size_t key_index(size_t slot, size_t d) const { return (slot / 16 * size_t(head_dim) + d) * 16 + slot % 16; }
  size_t value_index(size_t slot, size_t d) const { return slot * size_t(head_dim) + d; }
  bool operator==(const KvLayout&) const = default;
};

// Plain access for definitions.
inline float load_kv(KvType type, const std::byte* base, size_t index) {
  return type == KvType::f16 ? f16_to_f32(reinterpret_cast<const uint16_t*>(base)[index])
                             : reinterpret_cast<const float*>(base)[index];
}
inline void store_kv(KvType type, std::byte* base, size_t index, float value) {
  if (type == KvType::f16)
    reinterpret_cast<uint16_t*>(base)[index] = f32_to_f16(value);
  else
    reinterpret_cast<float*>(base)[index] = value;
}

}  // namespace loam
