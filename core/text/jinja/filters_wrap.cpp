// Filters that lay lines out: indent, wordwrap, pprint.
#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

// The lines of a text by Python's splitlines.
std::vector<Value> lines_of(Interpreter& in, const Value& text) {
  Args none;
  return apply_row(in, *find_method(text, "splitlines"), text, none).items();
}

Value f_indent(Interpreter& in, const Value& v, Args& args) {
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_string()) fail(Code::bad_argument, "template: indent of a %s", v.type_name());
  const Value *width = args.find(0, "width"), *first = args.find(1, "first"), *blank = args.find(2, "blank");
  std::string prefix;
  if (width && width->is_string()) {
    prefix = width->string();
  } else {
    const int64_t count = std::clamp<int64_t>(args.integer(0, "width", 4), 0, int64_t(1) << 40);
    in.charge(count);
    prefix.assign(size_t(count), ' ');
  }
  if (v.is_markup() && width && width->is_string() && !width->is_markup()) prefix = escape(prefix);
  const bool all = blank && in.truth(*blank);
  std::string out = first && in.truth(*first) ? prefix : "";
  bool is_first = true;
  for (const Value& line : lines_of(in, Value(v.string() + "\n"))) {
    in.charge(int64_t(prefix.size() + line.string().size()) + int64_t(out.size()) / 64);
    if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size() + prefix.size()));
    if (!is_first) out += '\n';
    if (!is_first && (all || !line.string().empty())) out += prefix;
    out += line.string();
    is_first = false;
  }
  return in.text(std::move(out), v.is_markup());
}

bool wraps_at(uint32_t c) { return c == ' ' || (c >= 9 && c <= 13); }

// A text in words and the spaces between them; words may break behind hyphens between letters.
std::vector<std::u32string> chunks_of(const std::u32string& line, bool break_on_hyphens) {
  std::vector<std::u32string> out;
  const auto is_letter = [](uint32_t c) {
    return c < kInvalidByte && (char_classes()[c] & (CharClass::word | CharClass::letter)) != 0 &&
           !(c >= '0' && c <= '9') && c != '_';
  };
  for (size_t at = 0; at < line.size();) {
    size_t end = at;
    const bool space = wraps_at(line[at]);
    while (end < line.size() && wraps_at(line[end]) == space) ++end;
    size_t begin = at;
    for (size_t i = at + 2; break_on_hyphens && !space && i + 2 < end; ++i) {
      if (line[i] != '-' || !is_letter(line[i - 1]) || !is_letter(line[i - 2])) continue;
      if (!is_letter(line[i + 1]) || !is_letter(line[i + 2])) continue;
      out.push_back(line.substr(begin, i + 1 - begin));
      begin = i + 1;
    }
    out.push_back(line.substr(begin, end - begin));
    at = end;
  }
  return out;
}

struct Wrap {
  size_t width = 79;
  bool break_long_words = true, break_on_hyphens = true;
};

// A word that is wider than a line: as much as fits, behind a hyphen where there is one.
size_t long_word_cut(const std::u32string& word, size_t room, const Wrap& wrap) {
  if (!wrap.break_on_hyphens || room == 0) return room;  // 0: an empty piece, as Python has it
  const size_t hyphen = word.rfind(U'-', room - 1);
  const bool only = hyphen == std::u32string::npos || hyphen == 0 || word.find_first_not_of(U'-') >= hyphen;
  return only ? room : hyphen + 1;
}

bool is_blank(const std::u32string& chunk) {
  return std::all_of(chunk.begin(), chunk.end(), [](char32_t c) { return is_space(c); });
}

void wrap_line(const std::u32string& line, const Wrap& wrap, std::vector<std::u32string>& lines) {
  std::vector<std::u32string> chunks = chunks_of(line, wrap.break_on_hyphens);
  std::reverse(chunks.begin(), chunks.end());
  const size_t first_line = lines.size();
  while (!chunks.empty()) {
    std::vector<std::u32string> current;
    size_t size = 0;
    if (lines.size() > first_line && is_blank(chunks.back())) chunks.pop_back();
    while (!chunks.empty() && size + chunks.back().size() <= wrap.width) {
      size += chunks.back().size();
      current.push_back(std::move(chunks.back()));
      chunks.pop_back();
    }
    if (!chunks.empty() && chunks.back().size() > wrap.width) {
      if (wrap.break_long_words) {
        const size_t cut = long_word_cut(chunks.back(), wrap.width - size, wrap);
        current.push_back(chunks.back().substr(0, cut));
        chunks.back().erase(0, cut);
      } else if (current.empty()) {
        current.push_back(std::move(chunks.back()));
        chunks.pop_back();
      }
    }
    if (!current.empty() && is_blank(current.back())) current.pop_back();
    if (current.empty()) continue;
    lines.emplace_back();
    for (const auto& chunk : current) lines.back() += chunk;
  }
}

std::u32string to_codes(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    out += char32_t(c.code);
    at += c.bytes;
  }
  return out;
}

Value f_wordwrap(Interpreter& in, const Value& v, Args& args) {
  if (!v.is_string()) fail(Code::bad_argument, "template: wordwrap of a %s", v.type_name());
  const auto flag = [&](size_t place, const char* name) {
    const Value* given = args.find(place, name);
    return !given || in.truth(*given);
  };
  const int64_t width = args.integer(0, "width", 79);
  const Value* with = args.given(2, "wrapstring");
  const std::string separator = with ? with->text() : "\n";
  const Wrap wrap{size_t(std::clamp<int64_t>(width, 0, 1 << 30)), flag(1, "break_long_words"),
                  flag(3, "break_on_hyphens")};
  in.charge(int64_t(v.string().size()) * 16);
  std::string out;
  bool first = true;
  for (const Value& line : lines_of(in, v)) {
    if (width <= 0) fail(Code::bad_argument, "template: wordwrap to a width of %lld", (long long)width);
    std::vector<std::u32string> lines;
    wrap_line(to_codes(line.string()), wrap, lines);
    if (lines.empty()) lines.emplace_back();
    for (const std::u32string& wrapped : lines) {
      in.charge(int64_t(separator.size()));
      if (!std::exchange(first, false)) out += separator;
      for (const char32_t c : wrapped) append_utf8(out, uint32_t(c));
    }
  }
  return in.text(std::move(out));
}

// Dicts by their keys.
Value sorted(const Value& v) {
  std::vector<Value> items;
  if (v.is_list()) {
    for (const Value& item : v.items()) items.push_back(sorted(item));
    return Value::list(std::move(items), v.is_tuple());
  }
  if (!v.is_dict()) return v;
  Pairs pairs;
  for (const auto& [key, value] : v.pairs()) pairs.emplace_back(key, sorted(value));
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return less(a.first, b.first); });
  return Value::dict(std::move(pairs));
}

// Python's pprint.pformat with its defaults. `allowance`: columns that the brackets behind a value need.
class PrettyPrinter {
 public:
  explicit PrettyPrinter(Interpreter& in) : in_(in) {}

  void print(const Value& v, int64_t indent, int64_t allowance, bool nested = true) {
    const std::string line = repr(v);
    if (text_length(line) <= kWidth - indent - allowance)
      out += line;
    else if (v.is_list())
      print_list(v, indent, allowance);
    else if (v.is_dict())
      print_dict(v, indent, allowance);
    else if (v.is_string() && !v.is_markup() && !v.string().empty())
      print_text(v, indent, allowance, nested);
    else
      out += line;
  }
  std::string out;

 private:
  static constexpr int64_t kWidth = 80;

  std::string repr(const Value& v) {
    std::string text = v.repr();
    in_.charge(int64_t(text.size()) / 16 + 1);
    return text;
  }
  void new_line(int64_t indent) {
    in_.charge(indent / 16 + 1);
    if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()) + indent);
    (out += '\n').append(size_t(indent), ' ');
  }
  void print_list(const Value& v, int64_t indent, int64_t allowance) {
    const auto& items = v.items();
    const std::string_view end = !v.is_tuple() ? "]" : items.size() == 1 ? ",)" : ")";
    out += v.is_tuple() ? '(' : '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out += ',', new_line(indent + 1);
      print(items[i], indent + 1, i + 1 == items.size() ? allowance + int64_t(end.size()) : 1);
    }
    out += end;
  }
  void print_dict(const Value& v, int64_t indent, int64_t allowance) {
    const auto& pairs = v.pairs();
    out += '{';
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (i) out += ',', new_line(indent + 1);
      const std::string key = repr(pairs[i].first) + ": ";
      out += key;
      print(pairs[i].second, indent + 1 + text_length(key), i + 1 == pairs.size() ? allowance + 1 : 1);
    }
    out += '}';
  }
  // A word and the whitespace behind it.
  static std::string next_part(const std::string& line, size_t& at) {
    const size_t begin = at;
    for (const bool space : {false, true}) {
      while (at < line.size()) {
        const Char c = decode_utf8(line, at);
        if (is_space(c.code) != space) break;
        at += c.bytes;
      }
    }
    return line.substr(begin, at - begin);
  }
  void print_text(const Value& v, int64_t indent, int64_t allowance, bool nested) {
    if (!nested) ++indent, ++allowance;
    Args keep_ends{{Value(true)}, {}};
    const std::vector<Value> lines = apply_row(in_, *find_method(v, "splitlines"), v, keep_ends).items();
    std::vector<std::string> chunks;
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i].string();
      const int64_t width = kWidth - indent, last = i + 1 == lines.size() ? width - allowance : width;
      if (std::string whole = repr(lines[i]); text_length(whole) <= last) {
        chunks.push_back(std::move(whole));
        continue;
      }
      std::string current;
      for (size_t at = 0; at < line.size();) {
        const std::string part = next_part(line, at);
        if (text_length(repr(Value(current + part))) <= (at == line.size() ? last : width)) {
          current += part;
        } else {
          if (!current.empty()) chunks.push_back(repr(Value(current)));
          current = part;
        }
      }
      if (!current.empty()) chunks.push_back(repr(Value(current)));
    }
    const bool brackets = !nested && chunks.size() > 1;
    if (brackets) out += '(';
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i) new_line(indent);
      out += chunks[i];
    }
    if (brackets) out += ')';
  }

  Interpreter& in_;
};

Value f_pprint(Interpreter& in, const Value& v, Args&) {
  in.walk(v);
  PrettyPrinter printer(in);
  printer.print(sorted(v), 0, 0, false);
  return in.text(std::move(printer.out));
}

constexpr FunctionRow kFilters[] = {
    {"indent", f_indent, "width? first? blank?"},
    {"pprint", f_pprint},
    {"wordwrap", f_wordwrap, "width? break_long_words? wrapstring? break_on_hyphens?"},
};

}  // namespace

std::span<const FunctionRow> wrap_filters() { return kFilters; }

}  // namespace loam::jinja
