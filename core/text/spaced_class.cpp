#include "core/text/spaced_class.h"

#include <algorithm>

#include "core/text/scan_cursor.h"

namespace loam {

SpacedClass::SpacedClass() : codes_(kInvalidByte + 256) {}

std::shared_ptr<const SpacedClass> SpacedClass::parse(std::string_view pattern) {
  constexpr std::string_view kBegin = "\\s?[", kEnd = "]+";
  if (!pattern.starts_with(kBegin) || !pattern.ends_with(kEnd)) return nullptr;
  if (pattern.size() <= kBegin.size() + kEnd.size()) return nullptr;
  pattern = pattern.substr(kBegin.size(), pattern.size() - kBegin.size() - kEnd.size());
  if (pattern.find_first_of("\\[]&^") != pattern.npos) return nullptr;  // all else stands for itself
  const std::shared_ptr<SpacedClass> out(new SpacedClass);
  for (size_t at = 0; at < pattern.size();) {
    const Char first = decode_utf8(pattern, at);
    at += first.bytes;
    Char last = first;
    if (at < pattern.size() && pattern[at] == '-') {
      if (at + 1 == pattern.size() || first.code == '-') return nullptr;
      last = decode_utf8(pattern, at + 1);
      at += 1 + last.bytes;
    }
    if (first.code >= kInvalidByte || last.code >= kInvalidByte || first.code > last.code) return nullptr;
    std::fill(out->codes_.begin() + first.code, out->codes_.begin() + last.code + 1, true);
  }
  return out;
}

size_t SpacedClass::scan(std::string_view text, size_t at) const {
  const Cursor c{text};
  const auto in_class = [&](const Cursor::Seen& s) { return codes_[s.code]; };
  const auto head = c.at(at);
  const size_t body = head.space() ? at + head.bytes : at, end = c.run(body, in_class);
  return end > body ? end : c.run(at, in_class);  // a space may itself be in the class
}

}  // namespace loam
