// The text of a chat template by its name or file.
#pragma once
#include <string>

namespace loam {

// A NAME of Loam's own, else a FILE. Checked: fails with the line of what is no template.
std::string template_text(const std::string& file_or_name);

}  // namespace loam
