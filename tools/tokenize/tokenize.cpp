// loam tokenize: prints the tokens of a text.
#include <cstdio>

#include "tools/cli/commands.h"
#include "tools/run/engine.h"

namespace loam {
namespace {

// A token's text on one line: control characters and quotes escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    char escaped[8];
    if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (c == '\n')
      out += "\\n";
    else if (uint8_t(c) < 32 || c == 127)
      std::snprintf(escaped, sizeof escaped, "\\x%02x", unsigned(uint8_t(c))), out += escaped;
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace

int run_tokenize(const Arguments& args) {
  const Engine engine = open_engine(args);
  const EncodeOptions options{!args.flag("--no-bos"), !args.flag("--no-parse-special")};
  const std::vector<int32_t> ids = engine.tokenizer->encode(read_prompt(args), options);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (args.flag("--ids"))
      std::printf("%s%d", i ? " " : "", ids[i]);
    else
      std::printf("%6d %s\n", ids[i], quoted(engine.tokenizer->piece(ids[i])).c_str());
  }
  if (args.flag("--ids")) std::printf("\n");
  return kExitOk;
}

}  // namespace loam
