#include "formats/safetensors/safetensors.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "core/error.h"
#include "core/types/float_bits.h"
#include "formats/byte_reader.h"
#include "formats/safetensors/header.h"

namespace loam {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr const char* kIndexName = "model.safetensors.index.json";

struct DtypeRow {
  std::string_view name;
  uint64_t bytes;
};
constexpr DtypeRow kDtypes[] = {{"F64", 8},     {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1},
                                {"F8_E5M2", 1}, {"I64", 8}, {"I32", 4}, {"I16", 2},  {"I8", 1},
                                {"U64", 8},     {"U32", 4}, {"U16", 2}, {"U8", 1},   {"BOOL", 1}};

Dtype find_dtype(const SafetensorsEntry& entry, const std::string& path) {
  for (size_t i = 0; i < std::size(kDtypes); ++i) {
    if (kDtypes[i].name == entry.dtype) return Dtype(i);
  }
  fail(Code::unsupported, "%s: tensor '%s' has dtype '%s', which is unknown here; convert it to F32, F16 or BF16",
       path.c_str(), printable(entry.name).c_str(), printable(entry.dtype).c_str());
}

uint64_t shape_bytes(const SafetensorsEntry& entry, Dtype dtype, const std::string& path) {
  uint64_t bytes = dtype_bytes(dtype);
  bool overflow = false;
  for (const uint64_t size : entry.shape) overflow |= size >> 62 || __builtin_mul_overflow(bytes, size, &bytes);
  if (overflow || bytes >> 62)
    fail(Code::bad_file, "%s: tensor '%s' has more than 2^62 bytes", path.c_str(), printable(entry.name).c_str());
  return bytes;
}

// Tensors must cover the data exactly once, without overlaps or holes, as the format demands.
void check_cover(std::vector<SafetensorsEntry>& entries, uint64_t data_bytes, const std::string& path) {
  std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t at = 0;
  for (const SafetensorsEntry& e : entries) {
    const std::string shown = printable(e.name);
    if (e.end < e.begin || e.end > data_bytes) {
      fail(Code::bad_file, "%s: tensor '%s' lies at bytes %llu to %llu of the data, which has %llu; %s", path.c_str(),
           shown.c_str(), (unsigned long long)e.begin, (unsigned long long)e.end, (unsigned long long)data_bytes,
           e.end < e.begin ? "it ends before it begins" : "the file is cut short: fetch it again");
    }
    if (e.begin != at) {
      fail(Code::bad_file, "%s: tensor '%s' begins at byte %llu of the data, expected %llu: it %s", path.c_str(),
           shown.c_str(), (unsigned long long)e.begin, (unsigned long long)at,
           e.begin < at ? "overlaps the tensor before it" : "leaves a hole");
    }
    at = e.end;
  }
  if (at != data_bytes) {
    fail(Code::bad_file, "%s: has %llu bytes of data, but its tensors cover %llu", path.c_str(),
         (unsigned long long)data_bytes, (unsigned long long)at);
  }
}

std::string_view read_header_text(const MappedFile& file) {
  ByteReader in(file.bytes(), file.path());
  const uint64_t size = in.read<uint64_t>("the header's length");
  if (size > kMaxHeaderBytes) {
    fail(Code::bad_file, "%s: is not a safetensors file: a header of %llu bytes, expected at most 100 MB",
         file.path().c_str(), (unsigned long long)size);
  }
  return in.text(size, "the header");
}

bool is_folder(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}
bool exists(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

std::string find_in_folder(const std::string& folder) {
  const std::string single = folder + "/model.safetensors", index = folder + "/" + kIndexName;
  if (exists(index)) return index;
  if (exists(single)) return single;
  fail(Code::bad_file, "%s: holds neither model.safetensors nor %s", folder.c_str(), kIndexName);
}

bool ends_with(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

bool by_name(const SafeTensor& a, const SafeTensor& b) { return a.name < b.name; }

float e4m3_to_f32(uint8_t bits) {
  const uint32_t sign = uint32_t(bits & 0x80) << 24, exponent = bits >> 3 & 15, mantissa = bits & 7;
  if ((bits & 0x7f) == 0x7f) return std::bit_cast<float>(sign | 0x7fc00000u);
  if (exponent == 0) {
    const float magnitude = float(mantissa) * 0x1p-9f;  // exact
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 120) << 23 | mantissa << 20);
}

template <class Stored, class Convert>
void convert_values(std::span<const std::byte> bytes, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    Stored value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);  // any alignment
    out[i] = convert(value);
  }
}

template <class Stored>
void cast_values(std::span<const std::byte> bytes, std::span<float> out) {
  convert_values<Stored>(bytes, out, [](Stored v) { return float(v); });
}

void convert_bytes(Dtype dtype, std::span<const std::byte> bytes, std::span<float> out) {
  switch (dtype) {
    case Dtype::F64: return cast_values<double>(bytes, out);
    case Dtype::F32: return cast_values<float>(bytes, out);
    case Dtype::F16: return convert_values<uint16_t>(bytes, out, f16_to_f32);
    case Dtype::BF16: return convert_values<uint16_t>(bytes, out, bf16_to_f32);
    case Dtype::F8_E4M3: return convert_values<uint8_t>(bytes, out, e4m3_to_f32);
    case Dtype::F8_E5M2:  // the upper half of an f16
      return convert_values<uint8_t>(bytes, out, [](uint8_t v) { return f16_to_f32(uint16_t(v << 8)); });
    case Dtype::I64: return cast_values<int64_t>(bytes, out);
    case Dtype::I32: return cast_values<int32_t>(bytes, out);
    case Dtype::I16: return cast_values<int16_t>(bytes, out);
    case Dtype::I8: return cast_values<int8_t>(bytes, out);
    case Dtype::U64: return cast_values<uint64_t>(bytes, out);
    case Dtype::U32: return cast_values<uint32_t>(bytes, out);
    case Dtype::U16: return cast_values<uint16_t>(bytes, out);
    case Dtype::U8:
    case Dtype::BOOL: return cast_values<uint8_t>(bytes, out);
  }
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return kDtypes[size_t(dtype)].name; }
uint64_t dtype_bytes(Dtype dtype) { return kDtypes[size_t(dtype)].bytes; }

int64_t SafeTensor::rows() const {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return rows;
}

SafetensorsFile::SafetensorsFile(const std::string& path) {
  const std::string file = is_folder(path) ? find_in_folder(path) : path;
  if (ends_with(file, ".json"))
    add_shards(file);
  else
    add_file(file);
  std::sort(tensors_.begin(), tensors_.end(), by_name);
  for (size_t i = 1; i < tensors_.size(); ++i) {
    if (tensors_[i].name == tensors_[i - 1].name)
      fail(Code::bad_file, "%s: tensor '%s' is listed twice", file.c_str(), printable(tensors_[i].name).c_str());
  }
}

void SafetensorsFile::add_file(const std::string& path) {
  const MappedFile& file = files_.emplace_back(path);
  const std::string_view text = read_header_text(file);
  SafetensorsHeader header = parse_safetensors_header(text, path);
  const auto data = file.bytes().subspan(8 + text.size());
  check_cover(header.entries, data.size(), path);
  for (SafetensorsEntry& e : header.entries) {
    SafeTensor tensor{.name = e.name, .dtype = find_dtype(e, path), .shape = {}, .bytes = {}};
    const uint64_t expected = shape_bytes(e, tensor.dtype, path);
    if (e.end - e.begin != expected) {
      fail(Code::bad_file, "%s: tensor '%s' has %llu bytes, but its shape and dtype %s need %llu", path.c_str(),
           printable(e.name).c_str(), (unsigned long long)(e.end - e.begin), e.dtype.c_str(),
           (unsigned long long)expected);
    }
    tensor.shape.assign(e.shape.begin(), e.shape.end());
    tensor.bytes = data.subspan(e.begin, expected);
    tensors_.push_back(std::move(tensor));
  }
  notes_.merge(header.notes);
}

void SafetensorsFile::add_shards(const std::string& index_path) {
  std::map<std::string, std::string> map;
  {
    const MappedFile index(index_path);
    if (index.bytes().size() > kMaxHeaderBytes)
      fail(Code::bad_file, "%s: has %zu bytes, expected at most 100 MB", index_path.c_str(), index.bytes().size());
    map = parse_safetensors_index({reinterpret_cast<const char*>(index.bytes().data()), index.bytes().size()},
                                  index_path);
  }
  const std::string folder = index_path.substr(0, index_path.find_last_of('/') + 1);
  std::set<std::string> names;
  for (const auto& [tensor, name] : map) names.insert(name);
  for (const std::string& name : names) {  // from a stranger: only files beside the index
    if (name.empty() || name[0] == '.' || name.find('/') != name.npos || name.find('\0') != name.npos ||
        !ends_with(name, ".safetensors")) {
      fail(Code::bad_file, "%s: names the shard '%s', expected a .safetensors file in the same folder",
           index_path.c_str(), printable(name).c_str());
    }
    const size_t before = tensors_.size();
    add_file(folder + name);
    const auto unlisted = [&, shard = name](const SafeTensor& t) {
      const auto it = map.find(t.name);
      return it == map.end() || it->second != shard;
    };
    tensors_.erase(std::remove_if(tensors_.begin() + ptrdiff_t(before), tensors_.end(), unlisted), tensors_.end());
  }
  std::sort(tensors_.begin(), tensors_.end(), by_name);
  for (const auto& [tensor, name] : map) {
    if (find(tensor)) continue;
    fail(Code::bad_file, "%s: tensor '%s' is not in the shard '%s' that the index names; fetch the shard again",
         index_path.c_str(), printable(tensor).c_str(), name.c_str());
  }
}

const SafeTensor* SafetensorsFile::find(std::string_view name) const {
  const auto it = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                   [](const SafeTensor& t, std::string_view n) { return t.name < n; });
  return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

void read_rows(const SafeTensor& tensor, int64_t first, int64_t count, std::span<float> out) {
  const int64_t rows = tensor.rows(), row = tensor.row_size();
  if (first < 0 || count < 0 || first > rows || count > rows - first || out.size() != uint64_t(count) * uint64_t(row)) {
    fail(Code::bad_argument, "%lld rows from row %lld of tensor '%s' into %zu values; it has %lld rows of %lld",
         (long long)count, (long long)first, printable(tensor.name).c_str(), out.size(), (long long)rows,
         (long long)row);
  }
  const uint64_t row_bytes = uint64_t(row) * dtype_bytes(tensor.dtype);
  convert_bytes(tensor.dtype, tensor.bytes.subspan(uint64_t(first) * row_bytes, out.size() * dtype_bytes(tensor.dtype)),
                out);
}

}  // namespace loam
