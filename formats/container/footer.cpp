#include "formats/container/footer.h"

#include <cstring>

#include "core/error.h"
#include "formats/container/layout.h"
#include "formats/container/metadata_codec.h"

namespace loam {
namespace {

using namespace container;

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Copies `text` into a field that is filled up with zero bytes.
template <size_t N>
void set_text(char (&field)[N], std::string_view text) {
  if (text.size() >= N || text.empty())
    fail(Code::bad_argument, "'%.*s' has %zu bytes, expected 1 to %zu", int(text.size()), text.data(), text.size(),
         N - 1);
  std::memcpy(field, text.data(), text.size());
}

std::string encode_tensors(std::span<const FooterTensor> tensors, std::string& names) {
  std::string out;
  for (const FooterTensor& t : tensors) {
    TensorRecord r{};
    r.name_offset = uint32_t(names.size());
    r.name_size = uint32_t(t.name.size());
    r.type = t.type->id;
    r.flags = t.vector ? kVectorFlag : 0;
    r.experts = uint64_t(t.experts);
    r.n = uint64_t(t.n);
    r.k = uint64_t(t.k);
    r.offset = t.offset;
    r.size = t.size;
    r.hash_low = t.hash.low;
    r.hash_high = t.hash.high;
    names += t.name;
    put(out, r);
  }
  if (names.size() > UINT32_MAX) fail(Code::bad_argument, "tensor names of more than 4 GiB");
  return out;
}

std::string encode_types(std::span<const FooterTensor> tensors) {
  std::map<uint16_t, std::string_view> used;
  for (const FooterTensor& t : tensors) used.emplace(t.type->id, t.type->name);
  std::string out;
  for (const auto& [id, name] : used) {
    TypeRecord r{};
    r.id = id;
    set_text(r.name, name);
    put(out, r);
  }
  return out;
}

std::string encode_chunks(std::span<const uint64_t> hashes) {
  std::string out;
  put(out, ChunkTable{kChunkBytes, hashes.size()});
  for (const uint64_t hash : hashes) put(out, hash);
  return out;
}

}  // namespace

std::string encode_footer(std::span<const FooterTensor> tensors, std::span<const uint64_t> chunk_hashes,
                          const Metadata& metadata, const Provenance& provenance,
                          std::map<std::string, std::string> sections) {
  std::string names;
  sections[std::string(kTensors)] = encode_tensors(tensors, names);
  sections[std::string(kNames)] = std::move(names);
  sections[std::string(kTypes)] = encode_types(tensors);
  sections[std::string(kChunks)] = encode_chunks(chunk_hashes);
  sections[std::string(kMetadata)] = encode_metadata(metadata);
  sections[std::string(kProvenance)] = encode_metadata(to_metadata(provenance));

  std::string table, body;
  put(table, SectionTable{sections.size(), 0});
  const uint64_t begin = align_up(sizeof(SectionTable) + sections.size() * sizeof(SectionEntry), kAlignment);
  for (auto& [name, bytes] : sections) {
    body.resize(align_up(body.size(), kAlignment));
    SectionEntry entry{};
    set_text(entry.name, name);
    entry.offset = begin + body.size();
    entry.size = bytes.size();
    put(table, entry);
    body += bytes;
    bytes = {};
  }
  table.resize(begin);
  return table + body;
}

}  // namespace loam
