// The text of a GBNF grammar while it is read: where we are, its smallest parts, and errors that name line and column.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace loam {

class GbnfText {
 protected:
  explicit GbnfText(std::string_view text) : text_(text) {}

  [[noreturn, gnu::format(printf, 2, 3)]] void fail_here(const char* format, ...) const;
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool ended() const { return at_ >= text_.size(); }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || is_digit(c);
  }

  void skip_space(bool newlines);  // and comments
  std::string name();              // of a rule
  uint32_t integer();
  uint32_t character();  // or the escape of one

  std::string_view text_;
  size_t at_ = 0;

 private:
  uint32_t escape();
  uint32_t hex_escape(int digits);
};

}  // namespace loam
