// One U+FFFD per maximal part of a sequence that is invalid, as the Unicode standard recommends.
#include "core/text/utf8_stream.h"

#include <cstdint>

namespace loam {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Whether `byte` may follow the `have` bytes that begin with `lead`.
bool may_follow(uint8_t lead, size_t have, uint8_t byte) {
  if (have == 1) {
    if (lead == 0xe0) return byte >= 0xa0 && byte <= 0xbf;
    if (lead == 0xed) return byte >= 0x80 && byte <= 0x9f;
    if (lead == 0xf0) return byte >= 0x90 && byte <= 0xbf;
    if (lead == 0xf4) return byte >= 0x80 && byte <= 0x8f;
  }
  return byte >= 0x80 && byte <= 0xbf;
}

size_t length_of(uint8_t lead) { return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4; }

}  // namespace

std::string Utf8Stream::push(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = uint8_t(c);
    if (!waiting_.empty()) {
      const auto lead = uint8_t(waiting_[0]);
      if (may_follow(lead, waiting_.size(), byte)) {
        waiting_ += c;
        if (waiting_.size() == length_of(lead)) {
          out += waiting_;
          waiting_.clear();
        }
        continue;
      }
      out += kReplacement;
      waiting_.clear();
    }
    if (byte < 0x80)
      out += c;
    else if (byte >= 0xc2 && byte <= 0xf4)
      waiting_ = c;
    else
      out += kReplacement;
  }
  return out;
}

std::string Utf8Stream::finish() {
  const bool cut = !waiting_.empty();
  waiting_.clear();
  return cut ? std::string(kReplacement) : std::string();
}

}  // namespace loam
