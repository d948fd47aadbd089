// Looking functions up, and checking their arguments against their parameters.
#include "core/text/jinja/functions.h"

#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/interpreter.h"

namespace loam::jinja {
namespace {

constexpr size_t kMostParams = 8;

struct Param {
  std::string_view name;
  bool optional = false, by_place_only = false;
};

struct Params {
  Param all[kMostParams];
  size_t count = 0;
  bool more = false, more_named = false;
};

Params read_params(std::string_view text) {
  Params out;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word == "*" || word == "**") {
      (word == "*" ? out.more : out.more_named) = true;
      continue;
    }
    Param& p = out.all[out.count++];
    if ((p.by_place_only = word[0] == '/')) word.remove_prefix(1);
    if ((p.optional = word.back() == '?')) word.remove_suffix(1);
    p.name = word;
  }
  return out;
}

void check_arguments(const FunctionRow& row, const Args& args) {
  const Params params = read_params(row.params);
  if (args.positional.size() > params.count && !params.more) {
    fail(Code::bad_argument, "template: %s takes not more than %zu arguments", row.name, params.count);
  }
  for (const auto& n : args.named) {
    const Param* p = std::find_if(params.all, params.all + params.count,
                                  [&](const Param& q) { return q.name == n.first && !q.by_place_only; });
    const auto place = size_t(p - params.all);
    if (place == params.count && params.more_named) continue;
    if (place == params.count) {
      fail(Code::bad_argument, "template: %s has no parameter '%.60s'", row.name, n.first.c_str());
    }
    if (place < args.positional.size()) {
      fail(Code::bad_argument, "template: the argument '%.60s' of %s is given twice", n.first.c_str(), row.name);
    }
  }
  for (size_t i = args.positional.size(); i < params.count; ++i) {
    const Param& p = params.all[i];
    if (p.optional || (!p.by_place_only && args.find(i, p.name))) continue;
    fail(Code::bad_argument, "template: %s needs an argument '%s'", row.name, std::string(p.name).c_str());
  }
}

}  // namespace

const FunctionRow* find_row(std::span<const FunctionRow> rows, std::string_view name) {
  for (const FunctionRow& row : rows) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

const FunctionRow* find_filter(std::string_view name) {
  for (const auto rows :
       {text_filters(), markup_filters(), number_filters(), sequence_filters(), lazy_filters(), wrap_filters()}) {
    if (const FunctionRow* row = find_row(rows, name)) return row;
  }
  return nullptr;
}

Value apply_row(Interpreter& in, const FunctionRow& row, const Value& self, Args& args) {
  check_arguments(row, args);
  return row.apply(in, self, args);
}

}  // namespace loam::jinja
