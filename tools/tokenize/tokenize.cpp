// loam tokenize: the tokens of a text, and back.
#include "tools/tokenize/tokenize.h"

#include <algorithm>
#include <charconv>

#include "core/text/unicode.h"
#include "tools/cli/commands.h"
#include "tools/convert/open_tokenizer.h"
#include "tools/run/engine.h"

namespace loam {
namespace {

void write(std::string_view text, std::FILE* out) { std::fwrite(text.data(), 1, text.size(), out); }

// A token's bytes on one line: control characters, quotes and what is not UTF-8 escaped.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    const bool plain = c.code >= 32 && c.code != 127 && c.code < kInvalidByte;
    if (c.code == '"' || c.code == '\\') {
      (out += '\\') += char(c.code);
    } else if (c.code == '\n') {
      out += "\\n";
    } else if (plain) {
      out += text.substr(at, c.bytes);
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", unsigned(uint8_t(text[at])));
      out += escaped;
    }
    at += c.bytes;
  }
  out += '"';
}

void append_number(std::string& out, size_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// Numbers between anything that is no digit: "1 2", "[1, 2]", one in each line.
std::vector<int32_t> parse_ids(std::string_view text, size_t vocabulary) {
  std::vector<int32_t> ids;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    if (std::string_view(" \t\r\n,;[]").find(*at) != std::string_view::npos) {
      ++at;
      continue;
    }
    uint32_t id = 0;
    const auto [after, error] = std::from_chars(at, end, id);
    if (error != std::errc() || id >= vocabulary) {
      const std::string found(at, std::min<size_t>(size_t(end - at), 20));
      fail(Code::bad_argument, "'%s' is not a token of this vocabulary: expected numbers from 0 to %zu",
           found.substr(0, found.find_first_of(" \t\r\n,;[]")).c_str(), vocabulary - 1);
    }
    ids.push_back(int32_t(id));
    at = after;
  }
  return ids;
}

// One line of the table, or the text alone.
void append_line(std::string& out, int32_t id, std::string_view piece, bool with_id) {
  if (with_id) {
    const size_t before = out.size();
    append_number(out, size_t(id));
    const size_t digits = out.size() - before;
    out.insert(before, digits < 6 ? 6 - digits : 0, ' ');
    out += ' ';
  }
  append_quoted(out, piece);
  out += '\n';
}

}  // namespace

void print_tokens(const Tokenizer& tokenizer, std::string_view text, TokenForm form, const EncodeOptions& options,
                  std::FILE* out) {
  const std::vector<int32_t> ids = tokenizer.encode(text, options);
  std::string lines;
  if (form == TokenForm::count) append_number(lines, ids.size());
  for (size_t i = 0; i < ids.size() && form != TokenForm::count; ++i) {
    if (form == TokenForm::ids) {
      if (i) lines += ' ';
      append_number(lines, size_t(ids[i]));
    } else {
      append_line(lines, ids[i], tokenizer.piece(ids[i]), form == TokenForm::table);
    }
    if (lines.size() < size_t(1) << 16) continue;
    write(lines, out);
    lines.clear();
  }
  if (form == TokenForm::count || form == TokenForm::ids) lines += '\n';
  write(lines, out);
}

void print_decoded(const Tokenizer& tokenizer, std::string_view list, bool special, std::FILE* out) {
  write(tokenizer.decode(parse_ids(list, tokenizer.size()), !special), out);
}

int run_tokenize(const Arguments& args) {
  TokenForm form = TokenForm::table;
  int forms = args.flag("--decode");
  for (const auto& [name, chosen] :
       {std::pair{"--ids", TokenForm::ids}, {"--pieces", TokenForm::pieces}, {"--count", TokenForm::count}}) {
    if (!args.flag(name)) continue;
    form = chosen;
    ++forms;
  }
  if (forms > 1) throw UsageError("give one of --ids, --pieces, --count and --decode");
  const Tokenizer tokenizer(open_tokenizer(args.model(), args.text("--pre")).spec);
  const std::string text = read_prompt(args);
  if (args.flag("--decode"))
    print_decoded(tokenizer, text, args.flag("--special"), stdout);
  else
    print_tokens(tokenizer, text, form, {!args.flag("--no-bos"), args.flag("--special")}, stdout);
  return kExitOk;
}

}  // namespace loam
