// Linear form of patterns \s?[...]+ that list the characters of their class, as deepseek-llm's do.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace loam {

class SpacedClass {
 public:
  // Null: not such a pattern.
  static std::shared_ptr<const SpacedClass> parse(std::string_view pattern);
  // As Scanner: the end of the match at `at`; `at` itself where none begins.
  size_t scan(std::string_view text, size_t at) const;

 private:
  SpacedClass();
  std::vector<bool> codes_;
};

}  // namespace loam
