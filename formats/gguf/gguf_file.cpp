#include "formats/gguf/gguf_file.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "formats/gguf/gguf_metadata.h"

namespace loam {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMaxAlignment = 1 << 20;
constexpr uint32_t kMaxDims = 4;
constexpr uint64_t kMaxNameBytes = 1024;

struct Header {
  uint32_t version;
  uint64_t tensors, metadata;
};

Header read_header(ByteReader& in, const std::string& path) {
  if (in.remaining() < 4 || in.read<uint32_t>("the magic") != kMagic) {
    fail(Code::bad_file, "%s: is not a GGUF file: it does not begin with \"GGUF\"", path.c_str());
  }
  Header header{};
  header.version = in.read<uint32_t>("the version");
  if (header.version && (header.version & 0xffff) == 0)
    fail(Code::unsupported, "%s: is a big-endian GGUF file; fetch the little-endian one", path.c_str());
  if (header.version < 2 || header.version > 3) {
    fail(Code::unsupported, "%s: is GGUF version %u; versions 2 and 3 can be read, fetch a %s file", path.c_str(),
         header.version, header.version < 2 ? "newer" : "version 3");
  }
  header.tensors = in.read<uint64_t>("the tensor count");
  header.metadata = in.read<uint64_t>("the metadata count");
  return header;
}

void refuse_split(const Metadata& metadata, const std::string& path) {
  const MetaValue* found = metadata.find("split.count");
  const int64_t* count = found ? std::get_if<int64_t>(found) : nullptr;
  if (!count || *count <= 1) return;
  const MetaValue* no = metadata.find("split.no");
  const int64_t* index = no ? std::get_if<int64_t>(no) : nullptr;
  fail(Code::unsupported,
       "%s: is part %lld of a model split into %lld files; join them first with "
       "`llama-gguf-split --merge FIRST_PART JOINED.gguf`, then give the joined file",
       path.c_str(), index ? (long long)*index + 1 : 0, (long long)*count);
}

uint64_t data_alignment(const Metadata& metadata, const ByteReader& in) {
  const MetaValue* found = metadata.find("general.alignment");
  if (!found) return kDefaultAlignment;
  const int64_t* value = std::get_if<int64_t>(found);
  if (!value || *value < 1 || uint64_t(*value) > kMaxAlignment || !std::has_single_bit(uint64_t(*value))) {
    in.bad("general.alignment is %lld, expected a power of two up to %llu", value ? (long long)*value : -1,
           (unsigned long long)kMaxAlignment);
  }
  return uint64_t(*value);
}

// A tensor as the directory announces it; its place is checked once the data's beginning is known.
struct Announced {
  GgufTensor tensor;
  uint64_t offset, size, at;  // at: of its entry in the file
};

uint64_t tensor_bytes(const GgufTensor& t, const ByteReader& in, const std::string& path) {
  const GgmlType& type = *t.type;
  if (type.block_values == 0) {
    fail(Code::unsupported, "%s: tensor '%s' has type %.*s, which was withdrawn from GGUF; fetch another quantization",
         path.c_str(), printable(t.name).c_str(), int(type.name.size()), type.name.data());
  }
  if (t.dims[0] % type.block_values != 0) {
    in.bad("tensor '%s': rows of %lld values are no multiple of %u, the block of type %.*s", printable(t.name).c_str(),
           (long long)t.dims[0], type.block_values, int(type.name.size()), type.name.data());
  }
  uint64_t blocks = uint64_t(t.dims[0]) / type.block_values, bytes = 0;
  bool overflow = false;
  for (size_t i = 1; i < t.dims.size(); ++i) overflow |= __builtin_mul_overflow(blocks, uint64_t(t.dims[i]), &blocks);
  overflow |= __builtin_mul_overflow(blocks, uint64_t(type.block_bytes), &bytes);
  if (overflow || bytes >> 62) in.bad("tensor '%s' has more than 2^62 bytes", printable(t.name).c_str());
  return bytes;
}

Announced read_entry(ByteReader& in, const std::string& path) {
  Announced entry{};
  entry.at = in.position();
  GgufTensor& t = entry.tensor;
  t.name = read_gguf_string(in, "a tensor name");
  const std::string shown = printable(t.name);
  if (t.name.empty() || t.name.size() > kMaxNameBytes)
    in.bad("a tensor name of %zu bytes, expected 1 to %llu", t.name.size(), (unsigned long long)kMaxNameBytes);
  const uint32_t dims = in.read<uint32_t>(shown);
  if (dims < 1 || dims > kMaxDims) in.bad("tensor '%s' has %u dimensions, expected 1 to 4", shown.c_str(), dims);
  for (uint32_t i = 0; i < dims; ++i) {
    const uint64_t size = in.read<uint64_t>(shown);
    if (size < 1 || size >> 62) {
      in.bad("tensor '%s': dimension %u is %llu, expected 1 to 2^62", shown.c_str(), i, (unsigned long long)size);
    }
    t.dims.push_back(int64_t(size));
  }
  const uint32_t type = in.read<uint32_t>(shown);
  t.type = find_ggml_type(type);
  if (!t.type) {
    fail(Code::unsupported, "%s: tensor '%s' has type %u, which is unknown: the file may be newer than this program",
         path.c_str(), shown.c_str(), type);
  }
  entry.offset = in.read<uint64_t>(shown);
  entry.size = tensor_bytes(t, in, path);
  return entry;
}

void check_place(const Announced& entry, uint64_t alignment, uint64_t data_bytes, const std::string& path) {
  const std::string shown = printable(entry.tensor.name);
  if (entry.offset % alignment != 0) {
    fail(Code::bad_file, "%s: byte %llu: tensor '%s' is at offset %llu of the data, expected a multiple of %llu",
         path.c_str(), (unsigned long long)entry.at, shown.c_str(), (unsigned long long)entry.offset,
         (unsigned long long)alignment);
  }
  if (entry.offset > data_bytes || entry.size > data_bytes - entry.offset) {
    fail(Code::bad_file,
         "%s: byte %llu: tensor '%s' needs %llu bytes at offset %llu, but the file has only %llu bytes of data; "
         "it is cut short: fetch it again",
         path.c_str(), (unsigned long long)entry.at, shown.c_str(), (unsigned long long)entry.size,
         (unsigned long long)entry.offset, (unsigned long long)data_bytes);
  }
}

void check_overlaps(const std::vector<Announced>& entries, const std::string& path) {
  std::vector<uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return entries[a].offset < entries[b].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const Announced &before = entries[order[i - 1]], &after = entries[order[i]];
    if (before.offset + before.size <= after.offset) continue;
    fail(Code::bad_file, "%s: byte %llu: tensors '%s' and '%s' overlap at offset %llu of the data", path.c_str(),
         (unsigned long long)after.at, printable(before.tensor.name).c_str(), printable(after.tensor.name).c_str(),
         (unsigned long long)after.offset);
  }
}

}  // namespace

GgufFile::GgufFile(MappedFile file) : file_(std::move(file)) {
  ByteReader in(file_.bytes(), path());
  const Header header = read_header(in, path());
  version_ = header.version;
  metadata_ = read_gguf_metadata(in, header.metadata);
  refuse_split(metadata_, path());
  in.check_count(header.tensors, 8 + 1 + 4 + 8 + 4 + 8, "tensors");
  std::vector<Announced> entries;
  entries.reserve(header.tensors);
  for (uint64_t i = 0; i < header.tensors; ++i) entries.push_back(read_entry(in, path()));

  const uint64_t alignment = data_alignment(metadata_, in);
  const uint64_t file_size = file_.bytes().size();
  const uint64_t data_at = std::min((in.position() + alignment - 1) / alignment * alignment, file_size);
  for (const Announced& entry : entries) check_place(entry, alignment, file_size - data_at, path());
  check_overlaps(entries, path());
  tensors_.reserve(entries.size());
  for (Announced& entry : entries) {
    entry.tensor.bytes = file_.bytes().subspan(data_at + entry.offset, entry.size);
    tensors_.push_back(std::move(entry.tensor));
  }
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(),
            [&](uint32_t a, uint32_t b) { return tensors_[a].name < tensors_[b].name; });
  for (size_t i = 1; i < by_name_.size(); ++i) {
    const std::string& name = tensors_[by_name_[i]].name;
    if (name == tensors_[by_name_[i - 1]].name)
      fail(Code::bad_file, "%s: tensor '%s' is listed twice", path().c_str(), printable(name).c_str());
  }
}

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [&](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  return it != by_name_.end() && tensors_[*it].name == name ? &tensors_[*it] : nullptr;
}

}  // namespace loam
