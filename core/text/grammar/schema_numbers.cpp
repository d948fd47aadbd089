// Numbers within limits as grammars of their digits.
#include <algorithm>
#include <cmath>

#include "core/text/grammar/schema_parts.h"
#include "core/text/json.h"

namespace loam {
namespace {

using Id = Grammar::Id;
constexpr int kMostDigits = 18;  // of an integer
constexpr int64_t kLargest = 999'999'999'999'999'999;
constexpr uint32_t kMostIntegerDigits = 15;  // of a number with a fraction: doubles tell 15 digits apart
constexpr uint32_t kMostFraction = 10;
constexpr int kMostValues = 2000;  // that are written out one by one
constexpr int kMostResidues = 100;

Id digit(Grammar& g, int low, int high) { return g.chars({{uint32_t('0' + low), uint32_t('0' + high)}}); }
Id digits(Grammar& g, uint32_t least, uint32_t most) { return g.repeat(digit(g, 0, 9), least, most); }

// All texts of one length from low to high.
Id same_length(Grammar& g, std::string_view low, std::string_view high) {
  if (low.empty()) return g.empty();
  const auto rest = uint32_t(low.size() - 1);
  const int a = low[0] - '0', b = high[0] - '0';
  if (a == b) return g.sequence({digit(g, a, a), same_length(g, low.substr(1), high.substr(1))});
  const bool whole_low = low.find_first_not_of('0', 1) == low.npos,
             whole_high = high.find_first_not_of('9', 1) == high.npos;
  const int first = a + (whole_low ? 0 : 1), last = b - (whole_high ? 0 : 1);
  const std::string nines(rest, '9'), zeros(rest, '0');
  std::vector<Id> parts;
  if (!whole_low) parts.push_back(g.sequence({digit(g, a, a), same_length(g, low.substr(1), nines)}));
  if (first <= last) parts.push_back(g.sequence({digit(g, first, last), digits(g, rest, rest)}));
  if (!whole_high) parts.push_back(g.sequence({digit(g, b, b), same_length(g, zeros, high.substr(1))}));
  return g.choice(std::move(parts));
}

// Integers from low to high, both at least 0, without leading zeros.
Id natural_range(Grammar& g, int64_t low, int64_t high) {
  std::vector<Id> parts;
  const std::string a = std::to_string(low), b = std::to_string(high);
  for (size_t n = a.size(); n <= b.size(); ++n)
    parts.push_back(
        same_length(g, n == a.size() ? a : "1" + std::string(n - 1, '0'), n == b.size() ? b : std::string(n, '9')));
  return g.choice(std::move(parts));
}

Id integer_range(Grammar& g, int64_t low, int64_t high) {
  std::vector<Id> parts;
  if (high >= 0) parts.push_back(natural_range(g, std::max<int64_t>(low, 0), high));
  if (low < 0) parts.push_back(g.sequence({g.one_char('-'), natural_range(g, std::max<int64_t>(-high, 1), -low)}));
  return g.choice(std::move(parts));
}

// Multiples of a small number: a rule per remainder and number of digits left.
Id residues(Grammar& g, int multiple) {
  std::vector<std::vector<uint32_t>> rules(kMostDigits);
  for (int left = 0; left < kMostDigits; ++left)
    for (int r = 0; r < multiple; ++r) {
      rules[size_t(left)].push_back(g.add_rule("multiple"));
      std::vector<Id> parts;
      if (r == 0) parts.push_back(g.empty());
      for (int d = 0; left && d < 10; ++d)
        parts.push_back(g.sequence({digit(g, d, d), g.rule(rules[size_t(left) - 1][size_t((r * 10 + d) % multiple)])}));
      g.define(rules[size_t(left)].back(), g.choice(std::move(parts)));
    }
  std::vector<Id> parts;
  for (int d = 1; d < 10; ++d)
    parts.push_back(g.sequence({digit(g, d, d), g.rule(rules[kMostDigits - 1][size_t(d % multiple)])}));
  return g.choice(std::move(parts));
}

struct Whole {
  int64_t low, high;
};

// The integers that the limits leave.
Whole whole_limits(const NumberLimits& l) {
  double low = -double(kLargest), high = double(kLargest);
  if (l.least) low = std::max(low, std::ceil(*l.least));
  if (l.above) low = std::max(low, std::floor(*l.above) + 1);
  if (l.most) high = std::min(high, std::floor(*l.most));
  if (l.below) high = std::min(high, std::ceil(*l.below) - 1);
  const auto clip = [](double v) { return v >= 1e18 ? kLargest : v <= -1e18 ? -kLargest : int64_t(v); };
  if (low > high) return {1, 0};
  return {clip(low), clip(high)};
}

Id compile_multiples(Grammar& g, const NumberLimits& l, Whole range, const std::string& at) {
  const double multiple = *l.multiple;
  if (multiple != std::floor(multiple) || multiple < 1 || multiple > 1e9)
    fail_schema(Code::unsupported, at, "multipleOf %g is not supported: only integers from 1 to 1000000000", multiple);
  const auto m = int64_t(multiple);
  const int64_t first = range.low >= 0 ? (range.low + m - 1) / m : -(-range.low / m);
  const int64_t last = range.high >= 0 ? range.high / m : -((-range.high + m - 1) / m);
  if (last - first < kMostValues) {
    std::vector<Id> parts;
    for (int64_t i = first; i <= last; ++i) parts.push_back(g.text(std::to_string(i * m)));
    return g.choice(std::move(parts));
  }
  const bool natural = range.low == 0;
  if ((!natural && range.low != -kLargest) || range.high != kLargest || m > kMostResidues)
    fail_schema(Code::unsupported, at,
                "multipleOf is only supported up to %d, or with limits that leave fewer than %d "
                "values",
                kMostResidues, kMostValues);
  const Id positive = residues(g, int(m));
  return g.choice({g.one_char('0'), natural ? positive : g.sequence({g.optional(g.one_char('-')), positive})});
}

// A limit as digits; doubles print with the fewest digits that give them back.
struct Decimal {
  bool negative;
  int64_t whole;
  std::string fraction;
};

Decimal decimal(double value, const std::string& at) {
  const std::string text = Schema(value).dump();
  if (text.find('e') != text.npos || std::fabs(value) >= 1e12)
    fail_schema(Code::unsupported, at,
                "the limit %g of a number is not supported: give it without exponent, below 1e12", value);
  const size_t point = text.find('.');
  Decimal d{value < 0, std::llabs(std::atoll(text.c_str())), point == text.npos ? "" : text.substr(point + 1)};
  while (!d.fraction.empty() && d.fraction.back() == '0') d.fraction.pop_back();
  if (d.fraction.size() > 10) fail_schema(Code::unsupported, at, "the limit %.17g has too many digits", value);
  return d;
}

struct Bound {
  Decimal at;
  bool included;
};

// Digits behind the point between two limits, of up to kMostFraction digits; no high: all that are not below `low`.
Id fraction_range(Grammar& g, const Bound& low, const Bound* high, uint32_t room) {
  std::vector<Id> parts;
  int64_t ten_to_width = 1;
  for (uint32_t width = 1; width <= std::min(room, kMostFraction); ++width) {
    ten_to_width *= 10;
    // The first `width` digits of a limit, and whether digits are cut off.
    const auto start = [&](const std::string& digits_of) {
      std::string text = digits_of.substr(0, width);
      text.resize(width, '0');
      return std::atoll(text.c_str());
    };
    const bool cut_low = low.at.fraction.size() > width;
    const int64_t first = start(low.at.fraction) + (cut_low || !low.included ? 1 : 0);
    int64_t last = ten_to_width - 1;
    if (high) last = start(high->at.fraction) - (high->at.fraction.size() > width || high->included ? 0 : 1);
    if (first > last || first >= ten_to_width) continue;
    const auto padded = [&](int64_t v) { return std::to_string(ten_to_width + v).substr(1); };
    parts.push_back(same_length(g, padded(first), padded(last)));
  }
  return g.choice(std::move(parts));
}

// Numbers from `low` to `high`, neither negative; no high: up to twelve digits.
Id positive_range(Grammar& g, const Bound& low, const std::optional<Bound>& high) {
  const int64_t first = low.at.whole, last = high ? high->at.whole : 999'999'999'999;
  if (first > last) return g.nothing();
  const uint32_t room = kMostIntegerDigits - uint32_t(std::to_string(high ? last : first).size());
  const Bound from_zero{{false, 0, ""}, true};
  const auto with_fraction = [&](int64_t whole, const Bound& from, const Bound* to, bool alone) {
    const Id fraction = g.sequence({g.one_char('.'), fraction_range(g, from, to, room)});
    return g.sequence({g.text(std::to_string(whole)), alone ? g.optional(fraction) : fraction});
  };
  const bool same = high && first == last;
  const bool reaches_last = high && (high->included || !high->at.fraction.empty());
  const bool has_first = low.included && low.at.fraction.empty() && (!same || reaches_last);
  std::vector<Id> parts{with_fraction(first, low, same ? &*high : nullptr, has_first)};
  const int64_t last_inner = high ? last - 1 : last;
  if (first + 1 <= last_inner) {
    const Id fraction = g.sequence({g.one_char('.'), digits(g, 1, std::min(room, kMostFraction))});
    parts.push_back(g.sequence({natural_range(g, first + 1, last_inner), g.optional(fraction)}));
  }
  if (high && !same) parts.push_back(with_fraction(last, from_zero, &*high, reaches_last));
  return g.choice(std::move(parts));
}

std::optional<Bound> tighter(std::optional<double> with, std::optional<double> without, bool low,
                             const std::string& at) {
  if (!with && !without) return {};
  const bool exclusive = without && (!with || (low ? *without >= *with : *without <= *with));
  return Bound{decimal(exclusive ? *without : *with, at), !exclusive};
}

}  // namespace

bool within(const NumberLimits& l, double v) {
  return !(l.least && v < *l.least) && !(l.most && v > *l.most) && !(l.above && v <= *l.above) &&
         !(l.below && v >= *l.below) && !(l.multiple && std::fmod(v, *l.multiple) != 0);
}

Grammar::Id compile_integer(Grammar& g, const NumberLimits& limits, const std::string& at) {
  const Whole range = whole_limits(limits);
  if (range.low > range.high) return g.nothing();
  return limits.multiple ? compile_multiples(g, limits, range, at) : integer_range(g, range.low, range.high);
}

Grammar::Id compile_number(Grammar& g, const NumberLimits& limits, const std::string& at) {
  if (limits.multiple) return compile_integer(g, limits, at);
  const std::optional<Bound> low = tighter(limits.least, limits.above, true, at);
  const std::optional<Bound> high = tighter(limits.most, limits.below, false, at);
  if (!low && !high) {
    const Id whole = g.choice({g.one_char('0'), g.sequence({digit(g, 1, 9), digits(g, 0, kMostIntegerDigits - 1)})});
    const Id fraction = g.sequence({g.one_char('.'), digits(g, 1, 15)});
    const Id sign = g.chars({{'+', '+'}, {'-', '-'}});
    const Id exponent = g.sequence({g.chars({{'E', 'E'}, {'e', 'e'}}), g.optional(sign), digits(g, 1, 2)});
    return g.sequence({g.optional(g.one_char('-')), whole, g.optional(fraction), g.optional(exponent)});
  }
  const Bound zero{{false, 0, ""}, true};
  std::vector<Id> parts;
  if (!high || !high->at.negative) parts.push_back(positive_range(g, low && !low->at.negative ? *low : zero, high));
  if (!low || low->at.negative) {
    std::optional<Bound> far;
    if (low) far = Bound{low->at, low->included};
    Bound near = zero;
    if (high && high->at.negative) near = *high;
    if (high && high->at.whole == 0 && high->at.fraction.empty()) near.included = high->included;
    parts.push_back(g.sequence({g.one_char('-'), positive_range(g, near, far)}));
  }
  return g.choice(std::move(parts));
}

}  // namespace loam
