#include "tools/template/template_text.h"

#include <filesystem>

#include "core/error.h"
#include "core/text/chat_template.h"
#include "tools/cli/files.h"

namespace loam {

std::string template_text(const std::string& file_or_name) {
  if (const NamedTemplate* named = find_named_template(file_or_name)) return named->text;
  std::error_code error;
  if (!std::filesystem::is_regular_file(file_or_name, error)) {
    fail(Code::bad_argument, "--template %.300s: neither a file nor one of %s", file_or_name.c_str(),
         named_template_list().c_str());
  }
  std::string text = read_text_file(file_or_name);
  check_template(text);
  return text;
}

}  // namespace loam
