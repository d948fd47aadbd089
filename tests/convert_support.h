// What the tests of conversion share: options in a line.
#pragma once
#include "tests/error_text.h"
#include "tools/convert/convert.h"

namespace loam::tests {

inline ConvertOptions with_type(const char* type, bool requantize = false, int threads = 2) {
  ConvertOptions o;
  o.type = type, o.requantize = requantize, o.threads = threads;
  return o;
}

}  // namespace loam::tests
