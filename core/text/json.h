// Parses JSON from strangers: bounded depth, the library's exceptions turned into ours.
#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"

namespace loam {

constexpr int kJsonDepth = 100;

inline void check_json_depth(std::string_view text, const char* what) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepth) fail(Code::bad_file, "%s is nested deeper than %d levels", what, kJsonDepth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

template <class JsonType = nlohmann::json>
JsonType parse_json(std::string_view text, const char* what) {
  check_json_depth(text, what);
  try {
    return JsonType::parse(text.begin(), text.end());
  } catch (const nlohmann::json::exception& e) {
    fail(Code::bad_file, "%s is not valid JSON: %.300s", what, e.what());
  }
}

// Runs `work`; a value of an unexpected type inside becomes Error{bad_file}.
template <class Work>
auto with_json_errors(const char* what, Work work) {
  try {
    return work();
  } catch (const nlohmann::json::exception& e) {
    fail(Code::bad_file, "%s: %.300s", what, e.what());
  }
}

}  // namespace loam
