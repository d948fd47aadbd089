// What the tests of conversion share: errors by their code, options in a line.
#pragma once
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "core/error.h"
#include "tools/convert/convert.h"

namespace loam::tests {

inline std::string what_of(const std::function<void()>& f, Code code) {
  try {
    f();
  } catch (const Error& e) {
    CHECK(e.code == code);
    return e.what();
  }
  FAIL("no error");
  return "";
}

inline bool mentions(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

inline ConvertOptions with_type(const char* type, bool requantize = false, int threads = 2) {
  ConvertOptions o;
  o.type = type, o.requantize = requantize, o.threads = threads;
  return o;
}

}  // namespace loam::tests
