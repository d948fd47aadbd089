// SentencePiece's own normalizer: its character map with the longest entry everywhere, runs of spaces, the space in
// front of a text, U+2581 for spaces. User-defined tokens of the text stay as they are.
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/text/charsmap.h"
#include "core/text/json.h"
#include "core/text/normalizers.h"
#include "core/text/prefix_trie.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

class SentencePiece {
 public:
  explicit SentencePiece(const Json& step)
      : remove_extra_(bool_field(step, "remove_extra_whitespaces", true)),
        keep_invalid_(bool_field(step, "keep_invalid", false)),
        space_(bool_field(step, "escape_whitespaces", true) ? kMetaspace : " "),
        scheme_(string_field(step, "prepend_scheme")) {
    if (scheme_.empty()) scheme_ = "never";
    if (scheme_ != "always" && scheme_ != "never" && scheme_ != "first") {
      fail(Code::bad_file, "tokenizer: the prepend scheme '%.100s' is not known", scheme_.c_str());
    }
    if (const std::string map = string_field(step, "precompiled_charsmap"); !map.empty()) {
      std::string bytes;
      if (!decode_base64(map, bytes)) fail(Code::bad_file, "tokenizer: precompiled_charsmap is not base64");
      map_.emplace(bytes);
    }
    const Json fixed = step.value("user_defined", Json::array());
    std::vector<PrefixTrie::Entry> entries;
    for (const Json& token : fixed) {
      const std::string& text = token.text();
      if (text.empty()) continue;
      entries.push_back({text, 0});
      fixed_begins_[uint8_t(text[0])] = true;
    }
    fixed_ = PrefixTrie(entries);
  }

  void operator()(std::string& text, bool first) const {
    size_t at = 0;
    std::string_view part;
    while (remove_extra_ && at < text.size()) {
      const size_t end = next(text, at, part);
      if (part != " ") break;
      at = end;
    }
    std::string out;
    out.reserve(text.size() + text.size() / 2);
    if (at < text.size() && (scheme_ == "always" || (scheme_ == "first" && first))) out += space_;
    for (bool after_space = remove_extra_; at < text.size();) {
      at = next(text, at, part);
      while (after_space && part.starts_with(' ')) part.remove_prefix(1);
      for (const char c : part) {
        if (c == ' ')
          out += space_;
        else
          out += c;
      }
      if (!part.empty()) after_space = remove_extra_ && part.ends_with(' ');
    }
    while (remove_extra_ && out.ends_with(space_)) out.resize(out.size() - space_.size());
    text = std::move(out);
  }

 private:
  // What stands at `at` becomes `part`; the end of it in the text.
  size_t next(std::string_view text, size_t at, std::string_view& part) const {
    const auto byte = uint8_t(text[at]);
    if (fixed_begins_[byte]) {
      if (const size_t end = find_fixed(text, at); end > at) {
        part = text.substr(at, end - at);
        return end;
      }
    }
    if (map_ && map_->begins(byte)) {
      if (const Charsmap::Hit hit = map_->longest(text, at); hit.bytes) {
        part = hit.replacement;
        return at + hit.bytes;
      }
    }
    const Char c = byte < 0x80 ? Char{byte, 1} : decode_utf8(text, at);
    part = c.code < kInvalidByte || keep_invalid_ ? text.substr(at, c.bytes) : std::string_view("\xef\xbf\xbd");
    return at + c.bytes;
  }
  size_t find_fixed(std::string_view text, size_t at) const {
    int32_t node = PrefixTrie::kRoot;
    size_t end = at;
    for (size_t i = at; i < text.size();) {
      node = fixed_.child(node, uint8_t(text[i++]));
      if (node < 0) break;
      if (fixed_.value(node) >= 0) end = i;
    }
    return end;
  }

  bool remove_extra_, keep_invalid_;
  std::string_view space_;
  std::string scheme_;
  std::optional<Charsmap> map_;
  PrefixTrie fixed_;  // user-defined tokens
  bool fixed_begins_[256] = {};
};

}  // namespace

Normalizer make_sentencepiece(const Json& step) {
  return [normalizer = std::make_shared<const SentencePiece>(step)](std::string& text, bool& first) {
    (*normalizer)(text, first);
  };
}

}  // namespace loam
