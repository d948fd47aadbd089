#include "core/text/grammar/grammar.h"

#include <algorithm>

#include "core/error.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

constexpr uint32_t kLastCode = 0x10FFFF;
constexpr size_t kMostExprs = 2'000'000;

// Sorted, merged, without surrogates, which UTF-8 cannot hold.
std::vector<CharRange> tidy(std::vector<CharRange> ranges) {
  std::vector<CharRange> whole;
  for (CharRange r : ranges) {
    r.high = std::min(r.high, kLastCode);
    if (r.low > r.high) continue;
    if (r.low < 0xD800) whole.push_back({r.low, std::min(r.high, 0xD7FFu)});
    if (r.high > 0xDFFF) whole.push_back({std::max(r.low, 0xE000u), r.high});
  }
  std::sort(whole.begin(), whole.end(), [](CharRange a, CharRange b) { return a.low < b.low; });
  std::vector<CharRange> out;
  for (const CharRange r : whole) {
    if (!out.empty() && r.low <= out.back().high + 1)
      out.back().high = std::max(out.back().high, r.high);
    else
      out.push_back(r);
  }
  return out;
}

}  // namespace

std::vector<CharRange> other_chars(std::vector<CharRange> ranges) {
  std::vector<CharRange> out;
  uint32_t next = 0;
  for (const CharRange r : tidy(std::move(ranges))) {
    if (r.low > next) out.push_back({next, r.low - 1});
    next = r.high + 1;
  }
  if (next <= kLastCode) out.push_back({next, kLastCode});
  return tidy(std::move(out));
}

Grammar::Id Grammar::add(Expr expr) {
  if (exprs_.size() >= kMostExprs) fail(Code::unsupported, "the grammar has more than %zu parts", kMostExprs);
  exprs_.push_back(std::move(expr));
  return Id(exprs_.size() - 1);
}

Grammar::Id Grammar::chars(std::vector<CharRange> ranges) {
  Expr e{Kind::chars, false, 0, 0, -1, {}, tidy(std::move(ranges))};
  return add(std::move(e));
}

Grammar::Id Grammar::text(std::string_view utf8) {
  std::vector<Id> parts;
  for (size_t at = 0; at < utf8.size();) {
    const Char c = decode_utf8(utf8, at);
    if (c.code >= kInvalidByte) fail(Code::bad_argument, "a literal of the grammar is not valid UTF-8");
    parts.push_back(one_char(c.code));
    at += c.bytes;
  }
  return sequence(std::move(parts));
}

Grammar::Id Grammar::sequence(std::vector<Id> parts) {
  if (parts.size() == 1) return parts[0];
  return add({Kind::sequence, false, 0, 0, -1, std::move(parts), {}});
}

Grammar::Id Grammar::choice(std::vector<Id> parts) {
  if (parts.size() == 1) return parts[0];
  return add({Kind::choice, false, 0, 0, -1, std::move(parts), {}});
}

Grammar::Id Grammar::repeat(Id part, uint32_t least, uint32_t most) {
  return add({Kind::repeat, false, least, most, -1, {part}, {}});
}

Grammar::Id Grammar::rule(uint32_t index) { return add({Kind::rule, false, 0, 0, int32_t(index), {}, {}}); }

Grammar::Id Grammar::token(int32_t id, bool negated) { return add({Kind::token, negated, 0, 0, id, {}, {}}); }

uint32_t Grammar::add_rule(std::string name) {
  rules_.push_back({std::move(name), 0, false});
  return uint32_t(rules_.size() - 1);
}

void Grammar::define(uint32_t rule_index, Id e) {
  rules_[rule_index].expr = e;
  rules_[rule_index].defined = true;
}

}  // namespace loam
