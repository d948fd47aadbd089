// Normalizers that go character by character. Invalid bytes pass through all of them.
#include <memory>

#include "core/error.h"
#include "core/text/charsmap.h"
#include "core/text/normalizers.h"
#include "core/text/unicode.h"
#include "core/text/unicode_versions.h"

namespace loam {
namespace {

Normalizer normal_form(NormalForm form) {
  return [form](std::string& text, bool) { normalize_unicode(text, form); };
}

// Rewrites text by write(Char, out); clears `first` where the first character vanishes.
template <class Write>
void rewrite(std::string& text, bool& first, Write write) {
  if (text.empty()) return;
  std::string out;
  out.reserve(text.size());
  const Char begin = decode_utf8(text, 0);
  write(begin, out);
  first = first && !out.empty();
  for_each_char(std::string_view(text).substr(begin.bytes), [&](Char c) { write(c, out); });
  text = std::move(out);
}

void lowercase(std::string& text, bool& first) {
  rewrite(text, first, [](Char c, std::string& out) { append_lowercase(out, c.code); });
}

void remove_class(std::string& text, bool& first, uint16_t char_class) {
  const uint16_t* classes = char_classes();
  rewrite(text, first, [&](Char c, std::string& out) {
    if (!(classes[c.code] & char_class)) append_utf8(out, c.code);
  });
}

void clean(std::string& text, bool& first) {
  const uint16_t* classes = char_classes();
  rewrite(text, first, [&](Char c, std::string& out) {
    if (classes[c.code] & CharClass::space && c.code != 0x85 && c.code != 0xb && c.code != 0xc)
      out += ' ';
    else if (!is_bert_control(c.code))
      append_utf8(out, c.code);
  });
}

bool is_chinese(uint32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0x2f800 && c <= 0x2fa1f);
}

void space_out_chinese(std::string& text, bool& first) {
  rewrite(text, first, [](Char c, std::string& out) {
    const bool chinese = is_chinese(c.code);
    if (chinese) out += ' ';
    append_utf8(out, c.code);
    if (chinese) out += ' ';
  });
}

bool is_nmt_removed(uint32_t c) {
  return (c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f;
}

bool is_nmt_space(uint32_t c) {
  return c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || (c >= 0x200b && c <= 0x200f) || c == 0x2028 ||
         c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
}

}  // namespace

Normalizer make_nfc(const Json&) { return normal_form(NormalForm::nfc); }
Normalizer make_nfd(const Json&) { return normal_form(NormalForm::nfd); }
Normalizer make_nfkc(const Json&) { return normal_form(NormalForm::nfkc); }
Normalizer make_nfkd(const Json&) { return normal_form(NormalForm::nfkd); }

Normalizer make_lowercase(const Json&) {
  return [](std::string& text, bool& first) { lowercase(text, first); };
}

Normalizer make_strip_accents(const Json&) {
  return [](std::string& text, bool& first) { remove_class(text, first, CharClass::accent); };
}

Normalizer make_bert_normalizer(const Json& step) {
  const bool cleans = bool_field(step, "clean_text", true), chinese = bool_field(step, "handle_chinese_chars", true);
  const bool lowers = bool_field(step, "lowercase", true), strips = bool_field(step, "strip_accents", lowers);
  return [=](std::string& text, bool& first) {
    if (cleans) clean(text, first);
    if (chinese) space_out_chinese(text, first);
    if (strips) {
      normalize_unicode(text, NormalForm::nfd);
      remove_class(text, first, CharClass::bert_mark);
    }
    if (lowers) lowercase(text, first);
  };
}

Normalizer make_nmt(const Json&) {
  return [](std::string& text, bool& first) {
    rewrite(text, first, [](Char c, std::string& out) {
      if (is_nmt_removed(c.code)) return;
      append_utf8(out, is_nmt_space(c.code) ? ' ' : c.code);
    });
  };
}

Normalizer make_precompiled(const Json& step) {
  std::string bytes;
  if (!decode_base64(string_field(step, "precompiled_charsmap"), bytes)) {
    fail(Code::bad_file, "tokenizer: 'precompiled_charsmap' is not base64");
  }
  const auto map = std::make_shared<const Charsmap>(bytes);
  return [map](std::string& text, bool) { apply_by_graphemes(*map, text); };
}

}  // namespace loam
