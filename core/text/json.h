// Parses JSON from strangers: bounded depth, the library's exceptions turned into ours.
#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"

namespace loam {

constexpr int kJsonDepth = 100;

// Error{bad_file} names `what`. For nlohmann::json and ordered_json.
template <class JsonType = nlohmann::json>
JsonType parse_json(std::string_view text, const char* what);

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
