// For the oracle tests: tokenizes and renders through core/text, one JSON value per line in and out.
//   text_tool encode MODEL   {"text", "add_special", "parse_special"} -> [ids]   MODEL: a .gguf or a tokenizer.json
//   text_tool decode MODEL   [ids] -> "text", or null where the bytes are not UTF-8
//   text_tool render         {"template", "context"} -> {"text"} or {"error"}
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"
#include "core/text/unicode.h"
#include "formats/gguf/gguf_file.h"

namespace {

using json = nlohmann::ordered_json;  // templates see the order of keys
using namespace loam;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(Code::io, "cannot open %s", path.c_str());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Tokenizer load(const std::string& path) {
  if (path.ends_with(".gguf")) return Tokenizer(tokenizer_from_gguf(GgufFile(path).metadata()).spec);
  return Tokenizer(tokenizer_from_json(read_file(path)).spec);
}

json encode(const Tokenizer& t, const json& request) {
  const EncodeOptions options{request.value("add_special", false), request.value("parse_special", true)};
  return t.encode(request["text"].get<std::string>(), options);
}

json decode(const Tokenizer& t, const json& request) {
  const std::string text = t.decode(request.get<std::vector<int32_t>>());
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    if (c.code >= kInvalidByte) return nullptr;
    at += c.bytes;
  }
  return text;
}

json render(const json& request) {
  try {
    return {{"text", render_template(request["template"].get<std::string>(), request["context"].dump())}};
  } catch (const Error& e) {
    return {{"error", e.what()}};
  }
}

int run(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const bool renders = command == "render";
  if (!renders && !((command == "encode" || command == "decode") && argc > 2)) {
    std::fprintf(stderr, "usage: text_tool encode|decode MODEL, or text_tool render\n");
    return 2;
  }
  std::unique_ptr<Tokenizer> tokenizer;
  if (!renders) tokenizer = std::make_unique<Tokenizer>(load(argv[2]));
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    const json answer = renders               ? render(request)
                        : command == "encode" ? encode(*tokenizer, request)
                                              : decode(*tokenizer, request);
    std::cout << answer.dump() << '\n';
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "text_tool: %s\n", e.what());
    return 1;
  }
}
