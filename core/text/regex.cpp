// Oniguruma behind a small face.
#include "core/text/regex.h"

#include <oniguruma.h>

#include <ctime>

#include "core/error.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

// Steps back that a search may take at first, and by how much the next try may take more.
constexpr unsigned long kFirstRetries = 256, kMoreRetries = 8;
// Processor time: linear patterns need 0.1 s per MiB.
constexpr double kSeconds = 1.0, kSecondsPerByte = 1.0 / (1 << 20);

[[noreturn]] void fail_onig(Code code, int status, OnigErrorInfo* info, const std::string& about) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1] = {};
  if (info)
    onig_error_code_to_str(text, status, info);
  else
    onig_error_code_to_str(text, status);
  fail(code, "regular expression '%.300s': %s", about.c_str(), reinterpret_cast<const char*>(text));
}

const OnigUChar* as_onig(const char* p) { return reinterpret_cast<const OnigUChar*>(p); }

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

// Oniguruma trusts lead bytes, and would read behind the end of a text that is not UTF-8.
bool replace_invalid(std::string_view text, std::string& clean) {
  constexpr char kOther = 1;
  for_each_char(text, [&, at = size_t(0)](Char c) mutable {
    if (c.code >= kInvalidByte) {
      if (clean.empty()) clean = text;
      clean[at] = kOther;
    }
    at += c.bytes;
  });
  return !clean.empty();
}

}  // namespace

struct Regex::Compiled {
  std::string pattern;
  regex_t* regex = nullptr;
  ~Compiled() { onig_free(regex); }
};

Regex::Regex(const std::string& pattern) {
  char_classes();  // initializes the library, once
  auto compiled = std::make_shared<Compiled>();
  compiled->pattern = pattern;
  OnigErrorInfo info;
  const int status = onig_new(&compiled->regex, as_onig(pattern.data()), as_onig(pattern.data() + pattern.size()),
                              ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_ONIGURUMA, &info);
  if (status != ONIG_NORMAL) fail_onig(Code::bad_file, status, &info, pattern);
  compiled_ = std::move(compiled);
}

bool Regex::search(std::string_view text, size_t from, Match& match) const {
  return RegexSearch(*this, text).find(from, match);
}

struct RegexSearch::State {
  OnigRegion* region = onig_region_new();
  OnigMatchParam* limits = onig_new_match_param();
  regex_t* regex;
  const std::string& pattern;
  State(regex_t* r, const std::string& p) : regex(r), pattern(p) { onig_initialize_match_param(limits); }
  State(const State&) = delete;
  ~State() {
    onig_region_free(region, 1);
    onig_free_match_param(limits);
  }
};

RegexSearch::RegexSearch(const Regex& regex)
    : state_(std::make_unique<State>(regex.compiled_->regex, regex.compiled_->pattern)), allowance_(kSeconds) {}
RegexSearch::RegexSearch(const Regex& regex, std::string_view text) : RegexSearch(regex) { start(text); }
RegexSearch::~RegexSearch() = default;

void RegexSearch::start(std::string_view text) {
  clean_.clear();
  text_ = replace_invalid(text, clean_) ? std::string_view(clean_) : text;
  from_ = 0;
  last_end_ = size_t(-1);
  allowance_ += kSecondsPerByte * double(text.size());
}

// `more`: how many times the last stretch's time the next one may take.
void RegexSearch::check_time(double more) {
  const double now = thread_seconds();
  if (started_ < 0) started_ = now;
  const double used = now - started_, last = last_look_ < 0 ? 0 : now - last_look_;
  last_look_ = now;
  if (used <= allowance_ && last * more <= allowance_) return;
  fail(Code::bad_argument, "regular expression '%.300s': takes too long on a text of %zu bytes",
       state_->pattern.c_str(), text_.size());
}

// Tries with few steps back, then with ever more of them, so that time can be looked at in between.
bool RegexSearch::find(size_t from, Regex::Match& match) {
  const OnigUChar* begin = as_onig(text_.data());
  const OnigUChar* end = begin + text_.size();
  if (searches_++ % 64 == 0) check_time(0);
  for (unsigned long limit = kFirstRetries;; limit *= kMoreRetries) {
    onig_set_retry_limit_in_match_of_match_param(state_->limits, limit);
    onig_set_retry_limit_in_search_of_match_param(state_->limits, limit);
    const int at = onig_search_with_param(state_->regex, begin, end, begin + from, end, state_->region,
                                          ONIG_OPTION_NONE, state_->limits);
    if (at == ONIG_MISMATCH) return false;
    if (at >= 0) {
      match = {size_t(state_->region->beg[0]), size_t(state_->region->end[0])};
      return true;
    }
    if (at != ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER && at != ONIGERR_RETRY_LIMIT_IN_MATCH_OVER) {
      fail_onig(Code::bad_argument, at, nullptr, state_->pattern);
    }
    check_time(double(kMoreRetries));
  }
}

bool RegexSearch::next(Regex::Match& match) {
  while (from_ <= text_.size()) {
    if (!find(from_, match)) return false;
    if (match.begin == match.end && match.end == last_end_) {
      from_ = match.end + (match.end < text_.size() ? decode_utf8(text_, match.end).bytes : 1);
      continue;
    }
    from_ = last_end_ = match.end;
    return true;
  }
  return false;
}

}  // namespace loam
