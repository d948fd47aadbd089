// A compiled Oniguruma pattern, immutable and shared by threads.
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
  std::shared_ptr<void> pattern_;
};

}  // namespace loam
