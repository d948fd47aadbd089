// Normalizers: what happens to the text before it is cut.
#include "core/text/normalizers.h"

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/regex.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

Normalizer make_prepend(const Json& step) {
  return [prefix = string_field(step, "prepend")](std::string& text, bool) {
    if (!text.empty()) text.insert(0, prefix);
  };
}

Normalizer make_strip(const Json& step) {
  const bool left = bool_field(step, "strip_left", true), right = bool_field(step, "strip_right", true);
  return [=](std::string& text, bool& first) {
    size_t begin = 0, end = text.size();
    if (left) begin = skip_spaces(text, 0);
    if (right) end = skip_spaces_back(text, end, begin);
    first = first && begin == 0;
    text.erase(end);
    text.erase(0, begin);
  };
}

Normalizer make_replace(const Json& step) {
  return [replace = make_replacer(step)](std::string& text, bool& first) { first = !replace(text) && first; };
}

Normalizer make_byte_level(const Json&) {
  return [](std::string& text, bool) {
    std::string out;
    out.reserve(text.size() + text.size() / 2);
    append_byte_chars(out, text);
    text = std::move(out);
  };
}

Normalizer make_sequence(const Json& step) {
  std::vector<Normalizer> all;
  for (const Json& part : step.value("normalizers", Json::array())) {
    if (Normalizer n = make_normalizer(part)) all.push_back(std::move(n));
  }
  return [all](std::string& text, bool& first) {
    for (const Normalizer& n : all) n(text, first);
  };
}

const NormalizerRow kNormalizers[] = {
    {"NFC", make_nfc},
    {"NFD", make_nfd},
    {"NFKC", make_nfkc},
    {"NFKD", make_nfkd},
    {"Lowercase", make_lowercase},
    {"StripAccents", make_strip_accents},
    {"BertNormalizer", make_bert_normalizer},
    {"Nmt", make_nmt},
    {"Precompiled", make_precompiled},
    {"Strip", make_strip},
    {"Replace", make_replace},
    {"Prepend", make_prepend},
    {"ByteLevel", make_byte_level},
    {"Sequence", make_sequence},
    {"SentencePiece", make_sentencepiece},  // our own name: the rules of tokenizer.model
};

}  // namespace

Normalizer make_normalizer(const Json& step) {
  if (step.is_null()) return {};
  const std::string type = step_type("normalizer", step);
  for (const NormalizerRow& row : kNormalizers) {
    if (type == row.type) return row.make(step);
  }
  fail_unknown_step("normalizer", type);
}

}  // namespace loam
