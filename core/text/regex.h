// A compiled Oniguruma pattern, immutable and shared by threads, and a bounded search with it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace loam {

class Regex {
 public:
  // Fails with bad_file, naming the pattern, if it does not compile.
  explicit Regex(const std::string& pattern);
  struct Match {
    size_t begin, end;
  };
  // The first match at or after `from`; look-around sees all of `text`. False: none.
  bool search(std::string_view text, size_t from, Match& match) const;

 private:
  friend class RegexSearch;
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

// The matches in a text from left to right; an empty match directly behind another is left out. Invalid bytes count as
// characters that are neither letters, numbers nor spaces. A pattern that takes too long is an Error, never a hang.
class RegexSearch {
 public:
  // `regex` and the texts must outlive their search.
  explicit RegexSearch(const Regex& regex);
  RegexSearch(const Regex& regex, std::string_view text);
  ~RegexSearch();
  RegexSearch(const RegexSearch&) = delete;
  RegexSearch& operator=(const RegexSearch&) = delete;
  void start(std::string_view text);  // another text; time is counted over all of them
  bool next(Regex::Match& match);

 private:
  friend class Regex;
  bool find(size_t from, Regex::Match& match);
  void check_time(double more);

  struct State;
  std::unique_ptr<State> state_;
  std::string_view text_;
  std::string clean_;  // the text with invalid bytes replaced, where it has some
  size_t from_ = 0, last_end_ = size_t(-1);
  unsigned searches_ = 0;
  double started_ = -1, last_look_ = -1, allowance_;
};

}  // namespace loam
