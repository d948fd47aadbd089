// Normal forms and lowercase, by utf8proc's tables less what is younger than the reference's.
#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/text/unicode.h"
#include "core/text/unicode_versions.h"

namespace loam {
namespace {

using Codes = std::vector<utf8proc_int32_t>;

class Normalization {
 public:
  Normalization(NormalForm form, std::string& out)
      : composes_(form == NormalForm::nfc || form == NormalForm::nfkc),
        compat_(form == NormalForm::nfkc || form == NormalForm::nfkd),
        out_(out) {}

  void add(uint32_t code) {
    if (code >= kInvalidByte || is_unordered_mark(code) || (compat_ && has_young_decomposition(code))) {
      flush();
      append_utf8(out_, code);
    } else if (code < 0x80) {
      if (codes_.size() > kMostCodes) flush();  // an ASCII character never joins what is before it
      codes_.push_back(utf8proc_int32_t(code));
    } else {
      decompose(code);
    }
  }
  void flush() {
    order();
    auto count = utf8proc_ssize_t(codes_.size());
    if (composes_ && count > 0) {
      const auto options = utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
      count = utf8proc_normalize_utf32(codes_.data(), count, options);
      if (count < 0) fail(Code::internal, "utf8proc: %s", utf8proc_errmsg(count));
    }
    for (utf8proc_ssize_t i = 0; i < count; ++i) append_utf8(out_, uint32_t(codes_[size_t(i)]));
    codes_.clear();
  }

 private:
  static constexpr size_t kMostCodes = 1 << 12;

  static int combining_class(utf8proc_int32_t c) { return c < 0x300 ? 0 : utf8proc_get_property(c)->combining_class; }

  void decompose(uint32_t code) {
    utf8proc_int32_t parts[32];  // the longest is 18, U+FDFA
    int boundary = 0;
    const auto options = utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compat_ ? UTF8PROC_COMPAT : 0));
    const auto count = utf8proc_decompose_char(utf8proc_int32_t(code), parts, 32, options, &boundary);
    if (count < 0 || count > 32) fail(Code::internal, "utf8proc cannot decompose U+%04X", code);
    codes_.insert(codes_.end(), parts, parts + count);
  }

  // utf8proc orders marks by insertion, which is quadratic on long runs; so we order them here.
  void order() {
    for (size_t i = 0; i < codes_.size();) {
      size_t end = i;
      while (end < codes_.size() && combining_class(codes_[end])) ++end;
      if (end > i + 1) {
        std::stable_sort(codes_.begin() + ptrdiff_t(i), codes_.begin() + ptrdiff_t(end),
                         [](auto a, auto b) { return combining_class(a) < combining_class(b); });
      }
      i = end + 1;
    }
  }

  bool composes_, compat_;
  std::string& out_;
  Codes codes_;
};

}  // namespace

void normalize_unicode(std::string& text, NormalForm form) {
  // ASCII is its own normal form; below U+0300 (lead byte 0xcc) every text is its own NFC.
  const uint8_t plain = form == NormalForm::nfc ? 0xcc : 0x80;
  const auto first = std::find_if(text.begin(), text.end(), [&](char c) { return uint8_t(c) >= plain; });
  if (first == text.end()) return;
  std::string out;
  out.reserve(text.size());
  Normalization work(form, out);
  for_each_char(text, [&](Char c) { work.add(c.code); });
  work.flush();
  text = std::move(out);
}

void append_lowercase(std::string& to, uint32_t code) {
  if (code < 0x80) {
    to += char(code >= 'A' && code <= 'Z' ? code + 32 : code);
  } else if (code == 0x130) {
    to += "i\xcc\x87";  // the one character whose lowercase is two
  } else if (code >= kInvalidByte) {
    append_utf8(to, code);
  } else {
    const auto lower = uint32_t(utf8proc_tolower(utf8proc_int32_t(code)));
    append_utf8(to, lower != code ? lower : new_lowercase(code));
  }
}

}  // namespace loam
