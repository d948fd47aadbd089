// Shared by the tables of filters, tests and methods.
#pragma once
#include <span>

#include "core/text/jinja/interpreter.h"

namespace loam::jinja {

Apply find_row(std::span<const NamedApply> rows, std::string_view name);
Apply find_sequence_filter(std::string_view name);
// str.replace; a negative count: all.
std::string replace_text(Interpreter& in, const std::string& s, const std::string& from, const std::string& to,
                         int64_t count);

}  // namespace loam::jinja
