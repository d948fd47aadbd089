// The .loam container byte by byte, as structs; formats/FORMAT.md says the same in words. Little-endian throughout.
//   preamble (4096 bytes) | tensor data | footer: section table, sections
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace loam::container {

constexpr uint8_t kMagic[16] = {0x89, 'L', 'O', 'A', 'M', '\r', '\n', 0x1a, '\n', 0, 0, 0, 0, 0, 0, 0};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kEndianTag = 0x01020304;
constexpr uint32_t kWriting = 0x54495257, kSealed = 0x4c414553;  // "WRIT", "SEAL"
constexpr uint64_t kKnownFeatures = 0;                           // required features that this code understands

constexpr uint64_t kPreambleBytes = 4096;
constexpr uint64_t kPage = 4096;  // alignment of tensors from kBigTensor bytes on
constexpr uint64_t kBigTensor = 65536;
constexpr uint64_t kAlignment = 64;          // of smaller tensors, the footer and its sections
constexpr uint64_t kChunkBytes = 16u << 20;  // of the data, each with a hash
constexpr uint64_t kMaxNameBytes = 1024;

struct Preamble {
  uint8_t magic[16];
  uint32_t version, endian;
  uint64_t required_features, optional_features;
  uint32_t state, preamble_bytes;
  uint64_t file_size;
  uint64_t footer_offset, footer_size;
  uint64_t footer_hash_low, footer_hash_high;  // XXH3-128 of the footer
  uint8_t zero[4096 - 88 - 8];
  uint64_t own_hash;  // XXH3-64 of the 4088 bytes before
};
static_assert(sizeof(Preamble) == kPreambleBytes && offsetof(Preamble, zero) == 88);

// The footer begins with the section table.
struct SectionTable {
  uint64_t count, zero;
};
struct SectionEntry {
  char name[48];          // filled up with zero bytes
  uint64_t offset, size;  // from the footer's beginning
};
static_assert(sizeof(SectionTable) == 16 && sizeof(SectionEntry) == 64);

constexpr std::string_view kMetadata = "metadata", kTensors = "tensors", kNames = "names", kTypes = "types",
                           kChunks = "chunks", kProvenance = "provenance";
constexpr std::string_view kVerbatim = "verbatim/", kTokenizer = "tokenizer/";  // prefixes

// "tensors": one record each, sorted by name.
struct TensorRecord {
  uint32_t name_offset, name_size;  // in "names"
  uint16_t type, flags;
  uint32_t zero;
  uint64_t experts, n, k;
  uint64_t offset, size;         // from the file's beginning
  uint64_t hash_low, hash_high;  // XXH3-128 of its bytes
};
static_assert(sizeof(TensorRecord) == 72);
constexpr uint16_t kVectorFlag = 1;

// "types": the types that tensors use, sorted by id.
struct TypeRecord {
  uint16_t id;
  char name[30];  // filled up with zero bytes
};
static_assert(sizeof(TypeRecord) == 32);

// "chunks": this, then `count` XXH3-64 of the data between preamble and footer.
struct ChunkTable {
  uint64_t chunk_bytes, count;
};

// Values in "metadata" and "provenance"; arrays are type + kArray.
enum ValueType : uint8_t { kBool = 1, kInt = 2, kDouble = 3, kText = 4, kArray = 16 };

constexpr uint64_t align_up(uint64_t at, uint64_t to) { return (at + to - 1) / to * to; }
constexpr uint64_t tensor_alignment(uint64_t bytes) { return bytes >= kBigTensor ? kPage : kAlignment; }

}  // namespace loam::container
