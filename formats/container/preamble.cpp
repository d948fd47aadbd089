#include "formats/container/preamble.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace loam::container {
namespace {

using ull = unsigned long long;

uint64_t own_hash(const Preamble& p) {
  return hash64(std::as_bytes(std::span(&p, 1)).first(offsetof(Preamble, own_hash)));
}

// What a file is that does not begin like ours.
[[noreturn]] void not_loam(std::span<const std::byte> file, const std::string& path) {
  const auto begins = [&](std::string_view text) {
    return file.size() >= text.size() && std::memcmp(file.data(), text.data(), text.size()) == 0;
  };
  if (begins("GGUF"))
    fail(Code::bad_file, "%s: is a GGUF file; convert it first: loam convert FILE.gguf FILE.loam", path.c_str());
  if (begins("\x89LOAM"))
    fail(Code::bad_file, "%s: its first 16 bytes were altered, as by a text-mode transfer; fetch it again",
         path.c_str());
  fail(Code::bad_file, "%s: is not a Loam model: it does not begin with \"\\x89LOAM\"", path.c_str());
}

void check_version(const Preamble& p, const std::string& path) {
  if (p.endian != kEndianTag)
    fail(Code::unsupported, "%s: has byte order tag %08x, expected %08x", path.c_str(), p.endian, kEndianTag);
  const uint64_t unknown = p.required_features & ~kKnownFeatures;
  if (p.version > kVersion || unknown != 0) {
    fail(Code::unsupported,
         "%s: was written by a newer Loam (format version %u, unknown features %llx; this program reads version %u); "
         "update this program, or convert the model again with it",
         path.c_str(), p.version, (ull)unknown, kVersion);
  }
  if (p.version == 0 || p.preamble_bytes != kPreambleBytes) {
    fail(Code::bad_file, "%s: has version %u and a preamble of %u bytes, expected 1 and 4096", path.c_str(), p.version,
         p.preamble_bytes);
  }
}

void check_state(const Preamble& p, const std::string& path) {
  if (p.state == kWriting)
    fail(Code::bad_file, "%s: the conversion was not finished; convert the model again", path.c_str());
  if (p.state != kSealed)
    fail(Code::bad_file, "%s: has state %08x, expected \"WRIT\" or \"SEAL\"", path.c_str(), p.state);
}

void check_sizes(const Preamble& p, uint64_t actual, const std::string& path) {
  if (actual != p.file_size) {
    fail(Code::bad_file, "%s: has %llu bytes, expected %llu: it is %s; fetch or convert it again", path.c_str(),
         (ull)actual, (ull)p.file_size, actual < p.file_size ? "cut short" : "too long");
  }
  if (p.footer_offset < kPreambleBytes || p.footer_offset % kAlignment != 0 || p.footer_offset > p.file_size ||
      p.footer_size != p.file_size - p.footer_offset) {
    fail(Code::bad_file, "%s: its footer of %llu bytes at byte %llu does not end with the file of %llu bytes",
         path.c_str(), (ull)p.footer_size, (ull)p.footer_offset, (ull)p.file_size);
  }
}

}  // namespace

Preamble writing_preamble() {
  Preamble p{};
  std::copy(std::begin(kMagic), std::end(kMagic), p.magic);
  p.version = kVersion;
  p.endian = kEndianTag;
  p.state = kWriting;
  p.preamble_bytes = kPreambleBytes;
  p.own_hash = own_hash(p);
  return p;
}

Preamble sealed_preamble(uint64_t footer_offset, std::span<const std::byte> footer) {
  Preamble p = writing_preamble();
  const Hash128 hash = hash128(footer);
  p.state = kSealed;
  p.footer_offset = footer_offset;
  p.footer_size = footer.size();
  p.file_size = footer_offset + footer.size();
  p.footer_hash_low = hash.low;
  p.footer_hash_high = hash.high;
  p.own_hash = own_hash(p);
  return p;
}

Preamble check_preamble(std::span<const std::byte> file, const std::string& path) {
  Preamble p{};
  std::memcpy(&p, file.data(), std::min(file.size(), sizeof p));
  if (std::memcmp(p.magic, kMagic, sizeof kMagic) != 0) not_loam(file, path);
  if (file.size() < sizeof p) {
    fail(Code::bad_file, "%s: has %zu bytes, a preamble alone has 4096: it is cut short; fetch it again", path.c_str(),
         file.size());
  }
  if (own_hash(p) != p.own_hash)
    fail(Code::bad_file, "%s: is corrupt: the checksum of bytes 0 to 4095 (preamble) is wrong; fetch it again",
         path.c_str());
  check_version(p, path);
  check_state(p, path);
  check_sizes(p, file.size(), path);
  const Hash128 found = hash128(file.subspan(p.footer_offset, p.footer_size));
  if (found != Hash128{p.footer_hash_low, p.footer_hash_high}) {
    fail(Code::bad_file, "%s: is corrupt: the checksum of bytes %llu to %llu (footer) is wrong; fetch it again",
         path.c_str(), (ull)p.footer_offset, (ull)(p.file_size - 1));
  }
  return p;
}

}  // namespace loam::container
