#include "core/text/jinja/urlize.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/text/jinja/strings.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Letters, digits and "_" of all scripts, and the characters of `also`.
bool all_of_word(std::string_view s, std::string_view also) {
  for (size_t at = 0; at < s.size();) {
    const Char c = decode_utf8(s, at);
    const bool word = c.code == '_' || (char_classes()[c.code] & (CharClass::letter | CharClass::number)) != 0;
    if (!word && (c.bytes > 1 || also.find(s[at]) == std::string_view::npos)) return false;
    at += c.bytes;
  }
  return true;
}

bool starts_alike(std::string_view s, std::string_view prefix) {
  return s.size() >= prefix.size() && lower(s.substr(0, prefix.size())) == prefix;
}

bool is_top_domain(std::string_view s) {
  if (starts_alike(s, "xn--")) return s.size() >= 6 && all_of_word(s.substr(4), "%") && text_length(s) <= 63;
  return s.size() >= 2 && s.size() <= 63 && std::all_of(s.begin(), s.end(), is_letter);
}

bool is_known_domain(std::string_view s) {
  constexpr std::string_view kKnown[] = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
  return std::find(std::begin(kKnown), std::end(kKnown), lower(s)) != std::end(kKnown);
}

// What follows a host: a port, a path.
bool is_rest(std::string_view s) {
  if (s.starts_with(':')) {
    size_t end = 1;
    while (end < s.size() && end < 7 && s[end] >= '0' && s[end] <= '9') ++end;
    if (end == 1 || end > 6) return false;
    s.remove_prefix(end);
  }
  return s.empty() || s[0] == '/' || s[0] == '?' || s[0] == '#';
}

// Names with dots between them, each of `least` to `most` characters; the last one is not looked at.
bool are_names(std::string_view host, int64_t least, int64_t most) {
  for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.')) {
    const std::string_view name = host.substr(0, dot);
    const int64_t length = text_length(name);
    if (length < least || length > most || !all_of_word(name, "%-")) return false;
    host.remove_prefix(dot + 1);
  }
  return true;
}

bool is_ip(std::string_view host) {
  int numbers = 0;
  while (true) {
    const size_t dot = std::min(host.find('.'), host.size());
    const bool number =
        dot >= 1 && dot <= 3 && host.substr(0, dot).find_first_not_of("0123456789") == std::string_view::npos;
    if (!number || ++numbers > 4) return false;
    if (dot == host.size()) return numbers == 4;
    host.remove_prefix(dot + 1);
  }
}

// "[...]" of groups of up to four hex digits.
bool is_ip6(std::string_view s, size_t& end) {
  end = s.find(']');
  if (!s.starts_with('[') || end == std::string_view::npos) return false;
  int groups = 0, digits = 0;
  for (const char c : s.substr(1, end - 1)) {
    const bool hex = (c >= '0' && c <= '9') || (is_letter(c) && (c | 32) <= 'f');
    if (c != ':' && (!hex || ++digits > 4)) return false;
    if (c == ':') ++groups, digits = 0;
  }
  ++end;
  return groups >= 2 && groups <= 8 && (groups > 2 || digits > 0);
}

bool is_url(std::string_view s) {
  const bool http = starts_alike(s, "http://"), https = starts_alike(s, "https://"), www = starts_alike(s, "www.");
  const std::string_view rest = s.substr(https ? 8 : http ? 7 : 0);
  const auto host_matches = [](std::string_view from, auto test) {
    const size_t end = std::min(from.find_first_of(":/?#"), from.size());
    return is_rest(from.substr(end)) && test(from.substr(0, end));
  };
  const auto last = [](std::string_view host) { return host.substr(host.rfind('.') + 1); };
  if (http || https) {
    size_t end = 0;
    if (is_ip6(rest, end) && is_rest(rest.substr(end))) return true;
    if (host_matches(rest, is_ip)) return true;
  }
  if ((http || https || www) && host_matches(www ? s.substr(4) : rest, [&](std::string_view host) {
        return is_top_domain(last(host)) && are_names(host, 1, INT64_MAX);
      })) {
    return true;
  }
  return host_matches(s, [&](std::string_view host) {
    return host.find('.') != std::string_view::npos && is_known_domain(last(host)) && are_names(host, 2, 63);
  });
}

bool is_email(std::string_view s) {
  const size_t at = s.rfind('@');
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view domain = s.substr(at + 1);
  const size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == domain.size()) return false;
  return all_of_word(domain.substr(0, decode_utf8(domain, 0).bytes), "") && all_of_word(domain.substr(0, dot), ".-") &&
         all_of_word(domain.substr(dot + 1), "");
}

int64_t count_of(std::string_view s, std::string_view what) {
  int64_t count = 0;
  for (size_t at = s.find(what); at != std::string_view::npos; at = s.find(what, at + what.size())) ++count;
  return count;
}

struct Link {
  std::string attributes;  // rel and target
  std::vector<std::string> schemes;
  int64_t limit = -1;  // of what is shown

  std::string trimmed(const std::string& s) const {
    return limit < 0 || text_length(s) <= limit ? s : s.substr(0, text_offset(s, limit)) + "...";
  }
  std::string around(const std::string& s) const {
    if (is_url(s)) {
      const bool complete = s.starts_with("https://") || s.starts_with("http://");
      return "<a href=\"" + std::string(complete ? "" : "https://") + s + "\"" + attributes + ">" + trimmed(s) + "</a>";
    }
    if (s.starts_with("mailto:") && is_email(s.substr(7))) return "<a href=\"" + s + "\">" + s.substr(7) + "</a>";
    if (s.find('@') != std::string::npos && !s.starts_with("www.") && s.find(':') == std::string::npos && is_email(s)) {
      return "<a href=\"mailto:" + s + "\">" + s + "</a>";
    }
    for (const std::string& scheme : schemes) {
      if (s != scheme && s.starts_with(scheme)) return "<a href=\"" + s + "\"" + attributes + ">" + s + "</a>";
    }
    return s;
  }
};

// One word of an escaped text: brackets before it, and brackets and stops behind it, are no part of an address.
std::string linked(std::string_view word, const Link& link) {
  std::string_view middle = word;
  while (middle.starts_with('(') || middle.starts_with('<') || middle.starts_with("&lt;"))
    middle.remove_prefix(middle[0] == '&' ? 4 : 1);
  const std::string head(word.substr(0, word.size() - middle.size()));
  const std::string_view whole = middle;
  while (!middle.empty()) {
    if (std::string_view(")>.,").find(middle.back()) != std::string_view::npos)
      middle.remove_suffix(1);
    else if (middle.ends_with("&gt;"))
      middle.remove_suffix(4);
    else
      break;
  }
  std::string tail(whole.substr(middle.size())), inner(middle);
  for (const auto& [open, close] :
       {std::pair<std::string_view, std::string_view>{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}}) {
    const int64_t opened = count_of(inner, open);
    if (opened <= count_of(inner, close)) continue;
    for (int64_t i = std::min(opened, count_of(tail, close)); i > 0; --i) {
      const size_t end = tail.find(close) + close.size();
      inner += tail.substr(0, end);
      tail.erase(0, end);
    }
  }
  return head + link.around(inner) + tail;
}

void add_words(std::set<std::string>& to, std::string_view text) {
  for (text = strip_left(text); !text.empty(); text = strip_left(text)) {
    const size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    to.emplace(text.substr(0, end));
    text.remove_prefix(end);
  }
}

Link link_of(Interpreter& in, const Args& args) {
  Link link;
  if (args.given(0, "trim_url_limit")) link.limit = std::max<int64_t>(args.integer(0, "trim_url_limit", 0), 0);
  std::set<std::string> rel{"noopener"};
  if (const Value* more = args.given(3, "rel")) add_words(rel, more->text());
  if (const Value* nofollow = args.find(1, "nofollow"); nofollow && in.truth(*nofollow)) rel.insert("nofollow");
  for (const std::string& word : rel) link.attributes += (link.attributes.empty() ? " rel=\"" : " ") + escape(word);
  link.attributes += '"';
  if (const Value* target = args.given(2, "target"); target && in.truth(*target)) {
    link.attributes += " target=\"" + escape(target->text()) + "\"";
  }
  if (const Value* schemes = args.given(4, "extra_schemes")) {
    for (const Value& s : in.to_list(*schemes)) {
      const std::string text = in.str(s);
      const size_t colon = text.rfind(':');
      const std::string_view slashes = std::string_view(text).substr(colon == std::string::npos ? 0 : colon + 1);
      const bool valid = colon != std::string::npos && colon >= 2 && slashes.size() <= 2 &&
                         slashes.find_first_not_of('/') == std::string_view::npos &&
                         all_of_word(std::string_view(text).substr(0, colon), ".+-");
      if (!valid) fail(Code::bad_argument, "template: '%.60s' is no scheme of an address", text.c_str());
      link.schemes.push_back(text);
    }
  }
  return link;
}

}  // namespace

Value f_urlize(Interpreter& in, const Value& v, Args& args) {
  const Link link = link_of(in, args);
  const std::string s = v.is_markup() ? v.string() : escape(in.str(v));
  in.charge(int64_t(s.size()) * 16);
  std::string out;
  for (size_t at = 0; at < s.size();) {
    size_t end = at;
    const bool space = is_space(decode_utf8(s, at).code);
    while (end < s.size() && is_space(decode_utf8(s, end).code) == space) end += decode_utf8(s, end).bytes;
    const std::string_view part = std::string_view(s).substr(at, end - at);
    out += space ? std::string(part) : linked(part, link);
    in.charge(64 + int64_t(link.attributes.size()) + int64_t(out.size()) / 64);
    if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()));
    at = end;
  }
  return in.text(std::move(out));
}

}  // namespace loam::jinja
