// Command lines: a list of declared options, and what was found of them.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace loam {

// A wrong command line; the program ends with kExitUsage.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr int kExitOk = 0, kExitFailure = 1, kExitUsage = 2, kExitInterrupted = 130;

enum class Kind : uint8_t { flag, text, integer, number, choice };

struct Option {
  std::string_view names;  // "-t,--threads": all spellings; the first long one is its name in the program
  Kind kind = Kind::flag;
  std::string_view value = {};      // what --help calls the value; of a choice: "f16|f32", all that is allowed
  std::string_view otherwise = {};  // the value when it is not given; empty: none
  std::string_view help = {};       // one line
  double least = std::numeric_limits<double>::lowest(), most = std::numeric_limits<double>::max();

  std::string_view name() const;  // "--threads"
};

// Options that --help shows together, below a title.
struct OptionGroup {
  std::string_view title;
  std::span<const Option> options;

  auto begin() const { return options.begin(); }
  auto end() const { return options.end(); }
};

class Arguments {
 public:
  bool has(std::string_view name) const;  // given on the command line
  bool flag(std::string_view name) const { return has(name); }
  // The value given, else the declared one. An undeclared name is an error of the program.
  const std::string& text(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;  // all values given, in their order
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& model() const;                              // --model; UsageError where none was given
  std::span<const std::string> plain() const { return plain_; }  // arguments that belong to no option

 private:
  friend Arguments parse_arguments(std::span<const std::string>, std::span<const OptionGroup>, size_t, size_t);
  const std::string* find(std::string_view name) const;
  std::map<std::string, std::string, std::less<>> defaults_;  // by name()
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> plain_;
};

// Throws UsageError that names the flag: unknown (with the nearest known one), value missing, not a number, out of
// range; or where the number of plain arguments is not in [least, most]. An option given twice: the last counts, but
// for list(). Where --model is declared, a first plain argument is its value unless -m gave one.
Arguments parse_arguments(std::span<const std::string> words, std::span<const OptionGroup> groups, size_t least,
                          size_t most);

// The known name nearest to a misspelt one; empty where none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

// Replaces \n, \r, \t, \', \", \\ and \xHH by what they stand for; anything else stays as it is.
std::string unescape(std::string_view text);

// The --help text of all options, aligned.
std::string describe(std::span<const OptionGroup> groups);

}  // namespace loam
