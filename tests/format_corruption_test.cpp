// Damaged and hostile .loam files: refused with a line that names the place, never a crash.
#include <set>

#include "format_support.h"
#include "formats/container/hash.h"
#include "formats/container/layout.h"

using namespace loam;
using namespace format_test;

namespace {

// Everything that a reader hands out, touched.
std::string content_of(const LoamFile& file) {
  std::string all;
  for (const auto& [key, value] : file.metadata().values()) all += key + char('0' + value.index());
  for (const StoredTensor& t : file.tensors()) {
    all += t.name + std::string(t.type->name) + std::to_string(t.experts * 1000003 + t.n * 1009 + t.k);
    all.append(reinterpret_cast<const char*>(t.bytes.data()), t.bytes.size());
  }
  all += file.chat_template();
  if (file.tokenizer()) {
    for (size_t i = 0; i < file.tokenizer()->size(); ++i) all += file.tokenizer()->token(i);
  }
  return all;
}

// Opens; returns the error's text, or "" where the file is accepted. Anything but Error fails the test.
std::string try_open(const std::string& path, bool verify, std::string* content = nullptr) {
  try {
    const LoamFile file(path, {.verify = verify, .progress = {}});
    const std::string found = content_of(file);
    if (content) *content = found;
    return {};
  } catch (const Error& e) {
    CHECK(contains(e.what(), path));
    CHECK(std::strlen(e.what()) > path.size() + 10);
    return e.what();
  }
}

container::Preamble preamble_of(const std::string& bytes) {
  container::Preamble p;
  std::memcpy(&p, bytes.data(), sizeof p);
  return p;
}

// Hashes made right again, so that the checks behind them are reached.
void reseal(std::string& bytes, bool footer_too = true) {
  container::Preamble p = preamble_of(bytes);
  if (footer_too && p.footer_offset <= bytes.size() && p.footer_size <= bytes.size() - p.footer_offset) {
    const Hash128 hash = hash128(as_bytes(bytes).subspan(p.footer_offset, p.footer_size));
    p.footer_hash_low = hash.low;
    p.footer_hash_high = hash.high;
  }
  p.own_hash = hash64(std::as_bytes(std::span(&p, 1)).first(sizeof p - 8));
  std::memcpy(bytes.data(), &p, sizeof p);
}

struct SmallFile {
  TempFolder folder;
  std::string path = folder / "x.loam", bytes;
  SmallFile() {
    write_small(path);
    bytes = slurp(path);
  }
  // The error for the file after `change` to its preamble.
  std::string with(const std::function<void(container::Preamble&)>& change, Code code = Code::bad_file) const {
    std::string changed = bytes;
    container::Preamble p = preamble_of(changed);
    change(p);
    std::memcpy(changed.data(), &p, sizeof p);
    reseal(changed, false);
    save(path, changed);
    return error_of([&] { LoamFile{path}; }, code);
  }
  // The error for the file after `change` to its tensor record number `index`.
  std::string with_record(size_t index, const std::function<void(container::TensorRecord&)>& change) const {
    std::string changed = bytes;
    save(path, bytes);
    size_t at = 0;
    {
      const LoamFile file(path);
      at = size_t(file.view().find("tensors")->bytes.data() - file.view().data.data()) + 4096;
    }
    container::TensorRecord r;
    std::memcpy(&r, &changed[at + index * sizeof r], sizeof r);
    change(r);
    std::memcpy(&changed[at + index * sizeof r], &r, sizeof r);
    reseal(changed);
    save(path, changed);
    return try_open(path, true);
  }
};

}  // namespace

TEST_CASE("corruption: cut at every byte of preamble and footer and at 1000 places between") {
  SmallFile small;
  const size_t footer = preamble_of(small.bytes).footer_offset;
  std::set<size_t> cuts;
  for (size_t i = 0; i <= 4096; ++i) cuts.insert(i);
  for (size_t i = footer; i < small.bytes.size(); ++i) cuts.insert(i);
  std::mt19937 random(7);
  for (size_t i = 0; i < 1000; ++i) cuts.insert(4096 + random() % (footer - 4096));
  for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) {  // downwards: the file only shrinks
    CAPTURE(*cut);
    std::filesystem::resize_file(small.path, *cut);
    const std::string text = try_open(small.path, true);
    CAPTURE(text);
    REQUIRE_FALSE(text.empty());
    const char* why = *cut == 0 ? "empty" : *cut < 16 ? "16 bytes" : "cut short";
    CHECK((contains(text, why) || *cut < 16));
  }
  save(small.path, small.bytes + "x");
  CHECK(contains(try_open(small.path, true), "too long"));
}

TEST_CASE("corruption: 2000 single flipped bits, all refused") {
  SmallFile small;
  std::string content;
  REQUIRE(try_open(small.path, true, &content).empty());
  const uint32_t seed = std::getenv("LOAM_TEST_FULL") ? std::random_device{}() : 1;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const size_t bit = random() % (small.bytes.size() * 8);
    CAPTURE(bit);
    std::string damaged = small.bytes;
    damaged[bit / 8] = char(damaged[bit / 8] ^ (1 << bit % 8));
    save(small.path, damaged);
    const std::string text = try_open(small.path, true);
    CAPTURE(text);
    REQUIRE_FALSE(text.empty());
    CHECK((bit / 8 < 16 || contains(text, "corrupt")));
    // Without the data's hashes a flip there goes unseen, and nothing but tensor bytes may differ.
    std::string seen;
    if (try_open(small.path, false, &seen).empty()) CHECK(seen.size() == content.size());
  }
}

TEST_CASE("corruption: flips behind right checksums never crash") {
  SmallFile small;
  const bool full = std::getenv("LOAM_TEST_FULL");
  const uint32_t seed = full ? std::random_device{}() : 2;
  CAPTURE(seed);
  std::mt19937 random(seed);
  const size_t footer = preamble_of(small.bytes).footer_offset;
  for (int i = 0; i < (full ? 100000 : 4000); ++i) {
    std::string damaged = small.bytes;
    const int flips = 1 + int(random() % 3);
    for (int f = 0; f < flips; ++f) {
      const size_t size = small.bytes.size() - footer;
      const size_t at = random() % 8 == 0 ? 16 + random() % 72 : footer + random() % size;
      damaged[at] = random() % 2 ? char(damaged[at] ^ (1 << random() % 8)) : char(random());
    }
    reseal(damaged);
    save(small.path, damaged);
    try_open(small.path, i % 2);
  }
}

TEST_CASE("corruption: each refusal says what it found") {
  const SmallFile small;
  CHECK(contains(small.with([](auto& p) { p.version = 2; }, Code::unsupported), "newer Loam"));
  CHECK(contains(small.with([](auto& p) { p.required_features = 4; }, Code::unsupported), "newer Loam"));
  CHECK(contains(small.with([](auto& p) { p.endian = 0x04030201; }, Code::unsupported), "byte order"));
  CHECK(contains(small.with([](auto& p) { p.state = container::kWriting; }), "not finished"));
  CHECK(contains(small.with([](auto& p) { p.state = 0; }), "state"));
  CHECK(contains(small.with([](auto& p) { p.file_size += 1; }), "cut short"));
  CHECK(contains(small.with([](auto& p) { p.footer_offset = ~uint64_t(63); }), "footer"));
  CHECK(contains(small.with([](auto& p) { p.footer_offset = 64; }), "footer"));
  CHECK(contains(small.with([](auto& p) { p.footer_size = ~uint64_t(0); }), "footer"));
  save(small.path, "GGUF and so on");
  CHECK(contains(try_open(small.path, true), "is a GGUF file"));
  save(small.path, "hello");
  CHECK(contains(try_open(small.path, true), "not a Loam model"));
  save(small.path, "");
  CHECK(contains(try_open(small.path, true), "empty"));
  CHECK(contains(try_open(small.folder.path, true), "folder"));
  CHECK(contains(error_of([&] { LoamFile(small.folder / "missing"); }, Code::io), "no such file"));
}

TEST_CASE("corruption: a newer optional feature is no obstacle") {
  const SmallFile small;
  std::string changed = small.bytes;
  changed[32] = 1;
  reseal(changed);
  save(small.path, changed);
  CHECK(LoamFile(small.path).view().optional_features == 1);
}

TEST_CASE("corruption: hostile tensor records") {
  const SmallFile small;  // 0 embed, 1 layers.0.experts, 2 layers.0.ffn.up, 3 output_norm
  const uint64_t huge = ~uint64_t(0);
  CHECK(contains(small.with_record(0, [&](auto& r) { r.offset = huge - 63; }), "'embed' lies at"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.offset = 0; }), "outside the data"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.offset += 1; }), "multiple of 64"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.size -= 64; }), "takes"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.n = uint64_t(1) << 63; }), "'embed'"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.k = uint64_t(1) << 31; }), "takes"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.experts = huge; }), "experts"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.type = 999; }), "type 999"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.flags = 2; }), "flags"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.name_offset = 4000000000u; }), "name"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.name_size = 4000000000u; }), "name"));
  CHECK(contains(small.with_record(0, [&](auto& r) { r.name_size = 0; }), "improper name"));
  CHECK(contains(small.with_record(1, [&](auto& r) { r.name_offset = 0, r.name_size = 5; }), "occurs twice"));
  uint64_t other = 0;
  small.with_record(1, [&](auto& r) { other = r.offset; });
  CHECK(contains(small.with_record(0, [&](auto& r) { r.offset = other; }), "overlap"));
}

TEST_CASE("corruption: a type that this program lacks") {
  const SmallFile small;
  std::string changed = small.bytes;
  const size_t at = changed.rfind(std::string("q8_0\0\0\0\0", 8));
  REQUIRE(at != changed.npos);
  changed[at + 1] = '9';
  reseal(changed);
  save(small.path, changed);
  CHECK(contains(error_of([&] { LoamFile{small.path}; }, Code::unsupported), "uses type 'q9_0'"));
}

TEST_CASE("corruption: damaged data is named by tensor, and verify lists all of it") {
  const SmallFile small;
  std::string changed = small.bytes;
  size_t at = 0;
  {
    const LoamFile file(small.path);
    at = 4096 + size_t(file.find("layers.0.ffn.up")->bytes.data() - file.view().data.data());
  }
  changed[at + 5] ^= 1;
  save(small.path, changed);
  const std::string text = try_open(small.path, true);
  CAPTURE(text);
  CHECK(contains(text, "is corrupt"));
  CHECK(contains(text, "tensor 'layers.0.ffn.up' (bytes " + std::to_string(at)));
  const VerifyReport report = verify_file(small.path);
  CHECK(report.problems.size() == 2);
  CHECK(contains(report.problems.at(1), "tensor 'layers.0.ffn.up'"));
  CHECK(try_open(small.path, false).empty());
}
