// Python's format(): one value by "[[fill]align][sign][z][#][0][width][grouping][.precision][type]".
#pragma once
#include "core/text/jinja/interpreter.h"

namespace loam::jinja {

std::string format_value(Interpreter& in, const Value& v, const std::string& spec);

}  // namespace loam::jinja
