// Tables of filters, tests, methods and functions, and how their arguments are checked.
#pragma once
#include <span>
#include <string_view>

#include "core/text/jinja/value.h"

namespace loam::jinja {

using Apply = Value (*)(Interpreter& in, const Value& self, Args& args);

struct FunctionRow {
  const char* name;
  Apply apply;
  // The parameters in order, with spaces: "width? first?". "?": may be left out; "/" before a name: only by position;
  // "*": any more by position; "**": any more by name.
  const char* params = "";
};

// Null: no such thing.
const FunctionRow* find_row(std::span<const FunctionRow> rows, std::string_view name);
const FunctionRow* find_filter(std::string_view name);
const FunctionRow* find_test(std::string_view name);
const FunctionRow* find_method(const Value& self, std::string_view name);
// The tables that find_filter searches.
std::span<const FunctionRow> text_filters();
std::span<const FunctionRow> markup_filters();
std::span<const FunctionRow> number_filters();
std::span<const FunctionRow> sequence_filters();
std::span<const FunctionRow> lazy_filters();
std::span<const FunctionRow> wrap_filters();
// The tables that find_method searches for texts.
std::span<const FunctionRow> string_methods();
std::span<const FunctionRow> split_methods();
std::span<const FunctionRow> character_methods();

// Fails where the arguments do not fit the row's parameters.
Value apply_row(Interpreter& in, const FunctionRow& row, const Value& self, Args& args);

}  // namespace loam::jinja
