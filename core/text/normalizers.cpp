// Normalizers: what happens to the text before it is cut.
#include "core/error.h"
#include "core/text/regex.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

Normalizer make_nfc(const Json&) {
  return [](std::string& text, bool) { normalize_nfc(text); };
}

Normalizer make_prepend(const Json& step) {
  return [prefix = string_field(step, "prepend")](std::string& text, bool) {
    if (!text.empty()) text.insert(0, prefix);
  };
}

Normalizer make_replace(const Json& step) {
  bool is_regex = false;
  const std::string from = pattern_field(step, "pattern", is_regex), to = string_field(step, "content");
  if (!is_regex) return [from, to](std::string& text, bool) { replace_all(text, from, to); };
  return [pattern = Regex(from), to](std::string& text, bool) {
    std::string out;
    size_t done = 0;
    Regex::Match m{};
    for (size_t from_at = 0; from_at <= text.size() && pattern.search(text, from_at, m);) {
      out.append(text, done, m.begin - done).append(to);
      done = m.end;
      from_at = m.end > m.begin ? m.end : m.end + (m.end < text.size() ? decode_utf8(text, m.end).bytes : 1);
    }
    text = out.append(text, done);
  };
}

Normalizer make_sequence(const Json& step) {
  std::vector<Normalizer> all;
  for (const Json& part : step.value("normalizers", Json::array())) all.push_back(make_normalizer(part));
  return [all](std::string& text, bool first) {
    for (const Normalizer& n : all) n(text, first);
  };
}

struct Row {
  const char* type;
  Normalizer (*make)(const Json& step);
};
const Row kNormalizers[] = {
    {"NFC", make_nfc},
    {"Prepend", make_prepend},
    {"Replace", make_replace},
    {"Sequence", make_sequence},
};

}  // namespace

Normalizer make_normalizer(const Json& step) {
  if (step.is_null()) return {};
  const std::string type = step_type("normalizer", step);
  for (const Row& row : kNormalizers) {
    if (type == row.type) return row.make(step);
  }
  fail_unknown_step("normalizer", type);
}

}  // namespace loam
