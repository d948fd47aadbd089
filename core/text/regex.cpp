// Oniguruma behind a small face.
#include "core/text/regex.h"

#include <oniguruma.h>

#include "core/error.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

// Steps back that one search may take before it is given up: ample for linear patterns, seconds for hostile ones.
constexpr unsigned long kRetryLimit = 50'000'000;

[[noreturn]] void fail_onig(Code code, int status, OnigErrorInfo* info, const std::string& about) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1] = {};
  if (info)
    onig_error_code_to_str(text, status, info);
  else
    onig_error_code_to_str(text, status);
  fail(code, "regular expression '%.300s': %s", about.c_str(), reinterpret_cast<const char*>(text));
}

const OnigUChar* as_onig(const char* p) { return reinterpret_cast<const OnigUChar*>(p); }

}  // namespace

Regex::Regex(const std::string& pattern) {
  char_classes();  // initializes the library, once
  regex_t* compiled = nullptr;
  OnigErrorInfo info;
  const int status = onig_new(&compiled, as_onig(pattern.data()), as_onig(pattern.data() + pattern.size()),
                              ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_ONIGURUMA, &info);
  if (status != ONIG_NORMAL) fail_onig(Code::bad_file, status, &info, pattern);
  pattern_ = std::shared_ptr<void>(compiled, [](void* p) { onig_free(static_cast<regex_t*>(p)); });
}

bool Regex::search(std::string_view text, size_t from, Match& match) const {
  thread_local const std::unique_ptr<OnigRegion, void (*)(OnigRegion*)> region(
      onig_region_new(), [](OnigRegion* r) { onig_region_free(r, 1); });
  const std::unique_ptr<OnigMatchParam, void (*)(OnigMatchParam*)> limits(onig_new_match_param(),
                                                                          onig_free_match_param);
  onig_initialize_match_param(limits.get());
  onig_set_retry_limit_in_match_of_match_param(limits.get(), kRetryLimit);
  const OnigUChar* begin = as_onig(text.data());
  const OnigUChar* end = begin + text.size();
  const int at = onig_search_with_param(static_cast<regex_t*>(pattern_.get()), begin, end, begin + from, end,
                                        region.get(), ONIG_OPTION_NONE, limits.get());
  if (at == ONIG_MISMATCH) return false;
  if (at < 0) fail_onig(Code::bad_argument, at, nullptr, "search");
  match = {size_t(region->beg[0]), size_t(region->end[0])};
  return true;
}

}  // namespace loam
