// Parsing is compiled once, here: the library's templates take the compiler seconds in every file.
#include "core/text/json.h"

namespace loam {

namespace {

void check_json_depth(std::string_view text, const char* what) {
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

}  // namespace

template <class JsonType>
JsonType parse_json(std::string_view text, const char* what) {
  check_json_depth(text, what);
  try {
    return JsonType::parse(text.begin(), text.end());
  } catch (const nlohmann::json::exception& e) {
    fail(Code::bad_file, "%s is not valid JSON: %.300s", what, e.what());
  }
}

template nlohmann::json parse_json(std::string_view, const char*);
template nlohmann::ordered_json parse_json(std::string_view, const char*);

}  // namespace loam
