// Decoders: from the texts of tokens back to bytes.
#include "core/error.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

// Where the steps of a decoder go: to each token, and after a Fuse to the whole text.
void add_step(Decoder& d, bool& fused, DecodeStep step) { (fused ? d.whole : d.each).push_back(std::move(step)); }

void add_byte_level(const Json&, Decoder& d, bool& fused) {
  add_step(d, fused, [](std::string& token, bool) {
    std::string bytes;
    for (size_t at = 0; at < token.size();) {
      const Char c = decode_utf8(token, at);
      const int b = char_to_byte(c.code);
      if (b < 0) return;  // not of the byte alphabet: an added token, which stands for itself
      bytes += char(b);
      at += c.bytes;
    }
    token = std::move(bytes);
  });
}

void add_byte_fallback(const Json&, Decoder& d, bool& fused) {
  add_step(d, fused, [](std::string& token, bool) {
    if (const int b = byte_token_value(token); b >= 0) token.assign(1, char(b));
  });
}

void add_fuse(const Json&, Decoder&, bool& fused) { fused = true; }

void add_metaspace(const Json& step, Decoder& d, bool& fused) {
  const std::string mark = step.contains("replacement") ? string_field(step, "replacement") : std::string(kMetaspace);
  const bool never = string_field(step, "prepend_scheme") == "never";
  const bool prefix = !never && bool_field(step, "add_prefix_space", true);
  add_step(d, fused, [=](std::string& token, bool first) { replace_all(token, mark, first && prefix ? "" : " "); });
}

void add_replace(const Json& step, Decoder& d, bool& fused) {
  bool is_regex = false;
  const std::string from = pattern_field(step, "pattern", is_regex), to = string_field(step, "content");
  if (is_regex) fail(Code::unsupported, "tokenizer: the decoder Replace with a regular expression is not supported");
  add_step(d, fused, [=](std::string& token, bool) { replace_all(token, from, to); });
}

void add_strip(const Json& step, Decoder& d, bool& fused) {
  const std::string content = string_field(step, "content");
  const auto start = step.value("start", 0), stop = step.value("stop", 0);
  if (content.empty()) fail(Code::bad_file, "tokenizer: the decoder Strip has no content");
  add_step(d, fused, [=](std::string& token, bool first) {
    if (!first) return;
    for (int i = 0; i < start && token.starts_with(content); ++i) token.erase(0, content.size());
    for (int i = 0; i < stop && token.ends_with(content); ++i) token.erase(token.size() - content.size());
  });
}

void add_any(const Json& step, Decoder& d, bool& fused);

void add_sequence(const Json& step, Decoder& d, bool& fused) {
  for (const Json& part : step.value("decoders", Json::array())) add_any(part, d, fused);
}

struct Row {
  const char* type;
  void (*add)(const Json& step, Decoder& d, bool& fused);
};
const Row kDecoders[] = {
    {"ByteLevel", add_byte_level},
    {"ByteFallback", add_byte_fallback},
    {"Fuse", add_fuse},
    {"Metaspace", add_metaspace},
    {"Replace", add_replace},
    {"Strip", add_strip},
    {"Sequence", add_sequence},
};

void add_any(const Json& step, Decoder& d, bool& fused) {
  const std::string type = step_type("decoder", step);
  for (const Row& row : kDecoders) {
    if (type == row.type) return row.add(step, d, fused);
  }
  fail_unknown_step("decoder", type);
}

}  // namespace

Decoder make_decoder(const Json& step) {
  Decoder d;
  bool fused = false;
  if (!step.is_null()) add_any(step, d, fused);
  return d;
}

}  // namespace loam
