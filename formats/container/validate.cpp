#include "formats/container/validate.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "formats/byte_reader.h"
#include "formats/container/metadata_codec.h"
#include "formats/container/preamble.h"

namespace loam {
namespace {

using namespace container;
using ull = unsigned long long;

// What every step needs: the file, its name for messages, and what is known so far.
struct Validator {
  std::span<const std::byte> file;
  const std::string& path;
  ContainerView view;

  void read_sections(uint64_t footer_offset, uint64_t footer_size);
  ByteReader section(std::string_view name) const;
  std::vector<const TypeInfo*> read_types() const;
  void read_tensors(const std::vector<const TypeInfo*>& types);
  StoredTensor read_tensor(const TensorRecord& record, std::span<const std::byte> names,
                           const std::vector<const TypeInfo*>& types) const;
  void check_place(const StoredTensor& tensor, const TensorRecord& record) const;
  void check_overlaps() const;
  void read_chunks();
  void read_provenance();
};

template <size_t N>
std::string_view fixed_text(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}
template <size_t N>
bool filled_with_zeros(const char (&field)[N]) {
  return std::all_of(field + fixed_text(field).size(), field + N, [](char c) { return c == 0; });
}

void Validator::read_sections(uint64_t footer_offset, uint64_t footer_size) {
  const auto footer = file.subspan(footer_offset, footer_size);
  ByteReader in(footer, path, footer_offset);
  const auto table = in.read<SectionTable>("the section table");
  in.check_count(table.count, sizeof(SectionEntry), "sections");
  uint64_t end = sizeof(SectionTable) + table.count * sizeof(SectionEntry);
  for (uint64_t i = 0; i < table.count; ++i) {
    const uint64_t at = in.position() - footer_offset;
    const auto entry = in.read<SectionEntry>("a section");
    // The view's name points into the file, which outlives it.
    const char* text = reinterpret_cast<const char*>(footer.data() + at);
    const std::string_view name(text, fixed_text(entry.name).size());
    const std::string shown = printable(name);
    if (name.empty() || !filled_with_zeros(entry.name)) in.bad("section %llu has no proper name", (ull)i);
    if (i > 0 && name <= view.sections.back().name) in.bad("section '%s' is not in order", shown.c_str());
    if (entry.offset % kAlignment != 0 || entry.offset < end || entry.offset > footer_size ||
        entry.size > footer_size - entry.offset) {
      in.bad("section '%s' has %llu bytes at %llu of the footer, which does not fit between byte %llu and %llu",
             shown.c_str(), (ull)entry.size, (ull)entry.offset, (ull)end, (ull)footer_size);
    }
    end = entry.offset + entry.size;
    view.sections.push_back({name, footer.subspan(entry.offset, entry.size)});
  }
}

ByteReader Validator::section(std::string_view name) const {
  const ContainerView::Section* found = view.find(name);
  if (!found) fail(Code::bad_file, "%s: its footer has no section '%.*s'", path.c_str(), int(name.size()), name.data());
  const std::string place = path + ": section '" + std::string(name) + "'";
  return {found->bytes, place, uint64_t(found->bytes.data() - file.data())};
}

std::vector<const TypeInfo*> Validator::read_types() const {
  ByteReader in = section(kTypes);
  std::vector<const TypeInfo*> types;
  while (in.remaining() != 0) {
    const auto record = in.read<TypeRecord>("a type");
    const std::string shown = printable(fixed_text(record.name));
    if (!types.empty() && types.back()->id >= record.id) in.bad("type '%s' is not in order", shown.c_str());
    const TypeInfo* type = find_type(record.id);
    if (!type || type->name != fixed_text(record.name)) {
      fail(Code::unsupported,
           "%s: uses type '%s' (id %u), which this program does not know; it was written by a newer Loam: update "
           "this program, or convert the model again with it",
           path.c_str(), shown.c_str(), record.id);
    }
    types.push_back(type);
  }
  return types;
}

StoredTensor Validator::read_tensor(const TensorRecord& r, std::span<const std::byte> names,
                                    const std::vector<const TypeInfo*>& types) const {
  ByteReader text(names, path);
  text.take(r.name_offset, "a tensor's name");
  StoredTensor t;
  t.name = text.text(r.name_size, "a tensor's name");
  if (!valid_tensor_name(t.name))
    fail(Code::bad_file, "%s: a tensor has the improper name '%s'", path.c_str(), printable(t.name).c_str());
  const auto type = std::find_if(types.begin(), types.end(), [&](const TypeInfo* i) { return i->id == r.type; });
  if (type == types.end() || r.flags > kVectorFlag || r.zero != 0) {
    fail(Code::bad_file, "%s: tensor '%s' has type %u and flags %u, which the file does not declare", path.c_str(),
         t.name.c_str(), r.type, r.flags);
  }
  t.type = *type;
  t.experts = int64_t(r.experts);
  t.n = int64_t(r.n);
  t.k = int64_t(r.k);
  t.vector = r.flags & kVectorFlag;
  check_place(t, r);
  t.bytes = file.subspan(r.offset, r.size);
  return t;
}

void Validator::check_place(const StoredTensor& t, const TensorRecord& r) const {
  uint64_t expected = 0;
  try {
    expected = stored_bytes(*t.type, t.experts, t.n, t.k, t.vector);
  } catch (const Error& e) {
    fail(Code::bad_file, "%s: tensor '%s': %s", path.c_str(), t.name.c_str(), e.what());
  }
  if (r.size != expected) {
    fail(Code::bad_file, "%s: tensor '%s' has %llu bytes, but [%lld, %lld, %lld] of type %.*s takes %llu", path.c_str(),
         t.name.c_str(), (ull)r.size, (long long)t.experts, (long long)t.n, (long long)t.k, int(t.type->name.size()),
         t.type->name.data(), (ull)expected);
  }
  const uint64_t begin = kPreambleBytes, end = begin + view.data.size();
  if (r.offset < begin || r.offset > end || r.size > end - r.offset) {
    fail(Code::bad_file, "%s: tensor '%s' lies at bytes %llu to %llu, outside the data (%llu to %llu)", path.c_str(),
         t.name.c_str(), (ull)r.offset, (ull)(r.offset + r.size), (ull)begin, (ull)end);
  }
  if (r.offset % tensor_alignment(r.size) != 0) {
    fail(Code::bad_file, "%s: tensor '%s' of %llu bytes begins at byte %llu, expected a multiple of %llu", path.c_str(),
         t.name.c_str(), (ull)r.size, (ull)r.offset, (ull)tensor_alignment(r.size));
  }
}

void Validator::read_tensors(const std::vector<const TypeInfo*>& types) {
  ByteReader in = section(kTensors);
  const ByteReader names_section = section(kNames);
  const auto names = view.find(kNames)->bytes;
  if (in.remaining() % sizeof(TensorRecord) != 0)
    in.bad("has %llu bytes, expected a multiple of %zu", (ull)in.remaining(), sizeof(TensorRecord));
  const uint64_t count = in.remaining() / sizeof(TensorRecord);
  view.tensors.reserve(count);
  view.tensor_hashes.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto record = in.read<TensorRecord>("a tensor");
    StoredTensor tensor = read_tensor(record, names, types);
    if (i > 0 && tensor.name <= view.tensors.back().name)
      in.bad("tensor '%s' is not in order or occurs twice", tensor.name.c_str());
    view.tensors.push_back(std::move(tensor));
    view.tensor_hashes.push_back({record.hash_low, record.hash_high});
  }
  check_overlaps();
}

void Validator::check_overlaps() const {
  std::vector<uint32_t> order(view.tensors.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto begin = [&](uint32_t i) { return view.tensors[i].bytes.data(); };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return begin(a) < begin(b); });
  for (size_t i = 1; i < order.size(); ++i) {
    const StoredTensor &before = view.tensors[order[i - 1]], &after = view.tensors[order[i]];
    if (before.bytes.data() + before.bytes.size() <= after.bytes.data()) continue;
    fail(Code::bad_file, "%s: tensors '%s' and '%s' overlap at byte %llu", path.c_str(), before.name.c_str(),
         after.name.c_str(), (ull)(after.bytes.data() - file.data()));
  }
}

void Validator::read_chunks() {
  ByteReader in = section(kChunks);
  const auto table = in.read<ChunkTable>("the chunk table");
  const uint64_t expected = (view.data.size() + kChunkBytes - 1) / kChunkBytes;
  if (table.chunk_bytes != kChunkBytes || table.count != expected || in.remaining() != expected * 8) {
    in.bad("%llu chunks of %llu bytes, expected %llu of %llu", (ull)table.count, (ull)table.chunk_bytes, (ull)expected,
           (ull)kChunkBytes);
  }
  for (uint64_t i = 0; i < expected; ++i) view.chunk_hashes.push_back(in.read<uint64_t>("a chunk"));
}

void Validator::read_provenance() {
  const Metadata values = decode_metadata(section(kProvenance));
  try {
    view.provenance = provenance_from(values);
  } catch (const Error& e) {
    fail(Code::bad_file, "%s: section 'provenance': %s", path.c_str(), e.what());
  }
}

}  // namespace

const ContainerView::Section* ContainerView::find(std::string_view name) const {
  const auto it = std::lower_bound(sections.begin(), sections.end(), name,
                                   [](const Section& s, std::string_view n) { return s.name < n; });
  return it != sections.end() && it->name == name ? &*it : nullptr;
}

ContainerView validate_container(std::span<const std::byte> file, const std::string& path) {
  const Preamble preamble = check_preamble(file, path);
  Validator v{file, path, {}};
  v.view.version = preamble.version;
  v.view.optional_features = preamble.optional_features;
  v.view.data = file.subspan(kPreambleBytes, preamble.footer_offset - kPreambleBytes);
  v.read_sections(preamble.footer_offset, preamble.footer_size);
  v.view.metadata = decode_metadata(v.section(kMetadata));
  v.read_tensors(v.read_types());
  v.read_chunks();
  v.read_provenance();
  return std::move(v.view);
}

uint64_t stored_bytes(const TypeInfo& type, int64_t experts, int64_t n, int64_t k, bool vector) {
  if (experts < 1 || experts > (1 << 20))
    fail(Code::bad_argument, "%lld experts, expected 1 to 2^20", (long long)experts);
  if (vector && (n != 1 || k < 1 || k > (int64_t(1) << 40) || type.plain != FloatFormat::f32))
    fail(Code::bad_argument, "a vector of shape [%lld, %lld], expected [1, k] of f32", (long long)n, (long long)k);
  const uint64_t one = vector ? uint64_t(k) * 4 : matrix_bytes(type, n, k);
  uint64_t all = 0;
  if (__builtin_mul_overflow(one, uint64_t(experts), &all) || all >> 62)
    fail(Code::bad_argument, "%lld experts of %llu bytes are too large", (long long)experts, (ull)one);
  return all;
}

bool valid_tensor_name(std::string_view name) {
  const auto control = [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; };
  return !name.empty() && name.size() <= kMaxNameBytes && std::none_of(name.begin(), name.end(), control);
}

}  // namespace loam
