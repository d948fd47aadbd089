// The filter urlize: links around what looks like an address.
#pragma once
#include "core/text/jinja/interpreter.h"

namespace loam::jinja {

Value f_urlize(Interpreter& in, const Value& v, Args& args);

}  // namespace loam::jinja
