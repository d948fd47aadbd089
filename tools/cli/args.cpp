// Parsing of command lines, and the --help text made from the same list.
#include "tools/cli/args.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/error.h"

namespace loam {
namespace {

template <class F>
void each_part(std::string_view list, char separator, F&& f) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(separator), list.size());
    f(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool contains(std::string_view list, char separator, std::string_view item) {
  bool found = false;
  each_part(list, separator, [&](std::string_view part) { found |= part == item; });
  return found;
}

std::string quoted(std::string_view s) { return "'" + std::string(s) + "'"; }

const Option* find_option(std::string_view name, std::span<const OptionGroup> groups) {
  for (const auto& group : groups)
    for (const Option& option : group)
      if (contains(option.names, ',', name)) return &option;
  return nullptr;
}

[[noreturn]] void unknown_flag(const std::string& word, std::span<const OptionGroup> groups) {
  std::vector<std::string_view> known{"--help"};
  for (const auto& group : groups)
    for (const Option& option : group) each_part(option.names, ',', [&](std::string_view n) { known.push_back(n); });
  std::string text = "unknown flag " + quoted(word);
  if (const auto near = nearest(word, known); !near.empty()) text += "; did you mean " + quoted(near) + "?";
  throw UsageError(text);
}

// strtod and friends follow the locale; from_chars does not.
template <class T>
bool parse_number(std::string_view text, T& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string plain_number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", v);
  return text;
}

void check_range(const Option& option, const std::string& flag, double v) {
  if (v >= option.least && v <= option.most) return;
  std::string text = "flag " + quoted(flag) + ": " + plain_number(v) + " is out of range; expected a value ";
  if (option.most == std::numeric_limits<double>::max())
    text += "of at least " + plain_number(option.least);
  else
    text += "from " + plain_number(option.least) + " to " + plain_number(option.most);
  throw UsageError(text);
}

// flag is the spelling that the user chose.
void check_value(const Option& option, const std::string& flag, const std::string& value) {
  if (option.kind == Kind::integer) {
    int64_t v = 0;
    if (!parse_number(value, v))
      throw UsageError("flag " + quoted(flag) + " expects a whole number, not " + quoted(value));
    check_range(option, flag, double(v));
  } else if (option.kind == Kind::number) {
    double v = 0;
    if (!parse_number(value, v) || !std::isfinite(v))
      throw UsageError("flag " + quoted(flag) + " expects a number, not " + quoted(value));
    check_range(option, flag, v);
  } else if (option.kind == Kind::choice && !contains(option.value, '|', value)) {
    throw UsageError("flag " + quoted(flag) + " expects one of " + std::string(option.value) + ", not " +
                     quoted(value));
  }
}

}  // namespace

std::string_view Option::name() const {
  std::string_view found = names.substr(0, names.find(','));
  each_part(names, ',', [&](std::string_view n) {
    if (n.starts_with("--") && !found.starts_with("--")) found = n;
  });
  return found;
}

const std::string* Arguments::find(std::string_view name) const {
  if (const auto it = values_.find(name); it != values_.end()) return &it->second.back();
  const auto it = defaults_.find(name);
  if (it == defaults_.end()) fail(Code::internal, "option '%.*s' is not declared", int(name.size()), name.data());
  return &it->second;
}

bool Arguments::has(std::string_view name) const {
  find(name);
  return values_.find(name) != values_.end();
}

const std::string& Arguments::text(std::string_view name) const { return *find(name); }

const std::vector<std::string>& Arguments::list(std::string_view name) const {
  static const std::vector<std::string> none;
  return has(name) ? values_.find(name)->second : none;
}

int64_t Arguments::integer(std::string_view name) const {
  int64_t v = 0;
  if (!parse_number(*find(name), v)) fail(Code::internal, "option '%.*s' has no value", int(name.size()), name.data());
  return v;
}

double Arguments::number(std::string_view name) const {
  double v = 0;
  if (!parse_number(*find(name), v)) fail(Code::internal, "option '%.*s' has no value", int(name.size()), name.data());
  return v;
}

const std::string& Arguments::model() const {
  if (!has("--model")) throw UsageError("no model given; name a .loam or .gguf file");
  return text("--model");
}

Arguments parse_arguments(std::span<const std::string> words, std::span<const OptionGroup> groups, size_t least,
                          size_t most) {
  Arguments result;
  for (const auto& group : groups)
    for (const Option& option : group) result.defaults_[std::string(option.name())] = option.otherwise;
  bool only_plain = false;
  for (size_t i = 0; i < words.size(); i++) {
    const std::string& word = words[i];
    if (only_plain || word.size() < 2 || word[0] != '-') {
      result.plain_.push_back(word);
      continue;
    }
    if (word == "--") {
      only_plain = true;
      continue;
    }
    const size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string flag = word.substr(0, equals);
    const Option* option = find_option(flag, groups);
    if (!option) unknown_flag(flag, groups);
    std::string value;
    if (option->kind == Kind::flag) {
      if (equals != std::string::npos) throw UsageError("flag " + quoted(flag) + " takes no value");
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else {
      if (++i == words.size())
        throw UsageError("flag " + quoted(flag) + " needs a value (" + std::string(option->value) + ")");
      value = words[i];
    }
    check_value(*option, flag, value);
    result.values_[std::string(option->name())].push_back(value);
  }
  const bool takes_model = find_option("--model", groups) != nullptr;
  if (takes_model && !result.plain_.empty() && result.values_.find("--model") == result.values_.end()) {
    result.values_["--model"] = {result.plain_.front()};
    result.plain_.erase(result.plain_.begin());
  }
  if (takes_model && result.values_.find("--model") != result.values_.end()) most -= most > 0;
  if (result.plain_.size() > most) throw UsageError("unexpected argument " + quoted(result.plain_[most]));
  if (result.plain_.size() < least) throw UsageError("too few arguments");
  return result;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  size_t best_distance = word.size() / 3 + 1;  // farther than that, it is another word
  for (const std::string_view name : known) {
    std::vector<size_t> row(name.size() + 1), above(name.size() + 1), two(name.size() + 1);
    for (size_t j = 0; j <= name.size(); j++) row[j] = j;
    for (size_t i = 1; i <= word.size(); i++) {  // edits with neighbours swapped (optimal string alignment)
      two = above, above = row, row[0] = i;
      for (size_t j = 1; j <= name.size(); j++) {
        row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (word[i - 1] != name[j - 1])});
        if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
          row[j] = std::min(row[j], two[j - 2] + 1);
      }
    }
    const bool prefix = word.size() > 3 && name.starts_with(word);
    const size_t distance = prefix ? 1 : row[name.size()];
    if (distance <= best_distance && (best.empty() || distance < best_distance)) best = name, best_distance = distance;
  }
  return best;
}

std::string unescape(std::string_view text) {
  constexpr std::string_view kNames = "nrt'\"\\", kMeans = "\n\r\t'\"\\";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t known = text[i] == '\\' && i + 1 < text.size() ? kNames.find(text[i + 1]) : std::string_view::npos;
    unsigned value = 0;
    const char* const digits = text.data() + i + 2;
    if (known != std::string_view::npos) {
      out += kMeans[known];
      i += 1;
    } else if (text.substr(i).starts_with("\\x") && i + 4 <= text.size() &&
               std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      out += char(value);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string describe(std::span<const OptionGroup> groups) {
  struct Row {
    std::string left, right;
  };
  std::vector<Row> rows;
  constexpr std::string_view kHelp = "  -h, --help";
  size_t width = kHelp.size();
  for (const OptionGroup& group : groups) {
    rows.push_back({"", std::string(group.title)});
    for (const Option& option : group) {
      std::string left = "  ";
      each_part(option.names, ',', [&](std::string_view n) { left += (left.size() > 2 ? ", " : "") + std::string(n); });
      if (option.kind != Kind::flag) left += " " + std::string(option.value);
      std::string right(option.help);
      if (!option.otherwise.empty()) right += " (" + std::string(option.otherwise) + ")";
      if (left.size() <= 34) width = std::max(width, left.size());
      rows.push_back({std::move(left), std::move(right)});
    }
  }
  std::string text = std::string(kHelp) + std::string(width + 2 - kHelp.size(), ' ') + "this text\n";
  for (const auto& [left, right] : rows) {
    if (left.empty()) {
      if (!right.empty()) text += right + ":\n";
      continue;
    }
    text += left;
    if (left.size() > width) text += "\n" + std::string(width, ' ');
    text += std::string(left.size() > width ? 2 : width + 2 - left.size(), ' ') + right + "\n";
  }
  return text;
}

}  // namespace loam
