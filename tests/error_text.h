// The text of an expected error.
#pragma once
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "core/error.h"

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

inline bool mentions(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != text.npos;
  if (!found) MESSAGE("the text: ", text);  // a CAPTURE here would end before the caller's CHECK
  return found;
}

}  // namespace loam::tests
