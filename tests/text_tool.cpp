// For the oracle tests: tokenizes and renders through core/text, one JSON value per line in and out.
//   text_tool encode MODEL   {"text", "add_special", "parse_special"} -> [ids]   MODEL: a .gguf, tokenizer.json,
//   tokenizer.model,
//                                                                                  *.tiktoken or tekken*.json
//   text_tool decode MODEL   [ids] -> "text", or null where the bytes are not UTF-8
//   text_tool normalize      {"step", "text"} -> "text"        step: an object of tokenizer.json
//   text_tool pretokenize    {"step", "text"} -> ["word"]
//   text_tool decode_step    {"step", "tokens"} -> "text"
//   text_tool render         {"template", "context"} -> {"text"} or {"error"}
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/text/chat_template.h"
#include "core/text/steps.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"
#include "core/text/tokenizer_sentencepiece.h"
#include "core/text/tokenizer_tiktoken.h"
#include "core/text/unicode.h"
#include "formats/gguf/gguf_file.h"
#include "tests/whole_files.h"

namespace {

using json = nlohmann::ordered_json;  // templates see the order of keys
using namespace loam;

TokenizerSpec load_spec(const std::string& path) {
  if (path.ends_with(".gguf")) return tokenizer_from_gguf(GgufFile(path).metadata()).spec;
  const std::string text = golden::read_text(path);
  if (path.find("tekken") != std::string::npos) return tokenizer_from_tekken(text).spec;
  if (path.ends_with(".json")) return tokenizer_from_json(text).spec;
  // A name like kimi-k2.pre.tiktoken tells how to split.
  const std::string name = path.substr(path.rfind('/') + 1);
  const size_t pre = name.find(".pre.");
  if (looks_like_tiktoken(text)) {
    return tokenizer_from_tiktoken(text, {}, {}, pre == std::string::npos ? std::string() : name.substr(0, pre)).spec;
  }
  return tokenizer_from_sentencepiece(text).spec;
}

Tokenizer load(const std::string& path) { return Tokenizer(load_spec(path)); }

json encode(const Tokenizer& t, const json& request) {
  const EncodeOptions options{request.value("add_special", false), request.value("parse_special", true)};
  return t.encode(request["text"].get<std::string>(), options);
}

json text_or_null(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    if (c.code >= kInvalidByte) return nullptr;
    at += c.bytes;
  }
  return text;
}

json decode(const Tokenizer& t, const json& request) {
  return text_or_null(t.decode(request.get<std::vector<int32_t>>()));
}

json render(const json& request) {
  TemplateCost cost;
  json answer;
  try {
    const std::string time = request.value("time", "");
    answer["text"] = render_template(request["template"].get<std::string>(), request["context"].dump(), &cost, time);
  } catch (const Error& e) {
    answer["error"] = e.what();
  }
  if (request.contains("cost")) answer["cost"] = {cost.steps, cost.steps_limit, cost.memory, cost.memory_limit};
  return answer;
}

// JSON text that may hold bytes which are not UTF-8.
std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// A step is made once, however many lines use it.
template <class Step>
const Step& made(const json& request, Step (*make)(const Json&)) {
  static std::map<std::string, Step> steps;
  const std::string key = request["step"].dump();
  const auto it = steps.find(key);
  return it != steps.end() ? it->second : steps.emplace(key, make(parse_json(key, "a step"))).first->second;
}

json normalize(const json& request) {
  auto text = request["text"].get<std::string>();
  bool first = true;
  if (const Normalizer& step = made(request, make_normalizer)) step(text, first);
  return text;
}

json pretokenize(const json& request) {
  Words words;
  words.text = request["text"].get<std::string>();
  words.ranges.assign(1, {0, words.text.size()});
  words.first = true;
  if (const PreTokenizer& step = made(request, make_pre_tokenizer)) step(words);
  json out = json::array();
  for (const Words::Range r : words.ranges) {
    if (r.end > r.begin) out.push_back(std::string(words.word(r)));
  }
  return out;
}

json decode_step(const json& request) {
  return text_or_null(made(request, make_decoder).decode(request["tokens"].get<Tokens>(), true));
}

// Errors become {"error": text}, for the commands that test them.
template <class Work>
json with_error(Work work) {
  try {
    return work();
  } catch (const Error& e) {
    return {{"error", e.what()}};
  }
}

struct Command {
  const char* name;
  bool has_model;
  json (*run)(const Tokenizer* tokenizer, const json& request);
};
const Command kCommands[] = {
    {"encode", true, [](const Tokenizer* t, const json& r) { return encode(*t, r); }},
    {"decode", true, [](const Tokenizer* t, const json& r) { return decode(*t, r); }},
    {"normalize", false, [](const Tokenizer*, const json& r) { return with_error([&] { return normalize(r); }); }},
    {"pretokenize", false, [](const Tokenizer*, const json& r) { return with_error([&] { return pretokenize(r); }); }},
    {"decode_step", false, [](const Tokenizer*, const json& r) { return with_error([&] { return decode_step(r); }); }},
    {"render", false, [](const Tokenizer*, const json& r) { return render(r); }},
};

int run(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  for (const Command& command : kCommands) {
    if (name != command.name || (command.has_model && argc < 3)) continue;
    std::unique_ptr<Tokenizer> tokenizer;
    if (command.has_model) tokenizer = std::make_unique<Tokenizer>(load(argv[2]));
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << dumped(command.run(tokenizer.get(), json::parse(line))) << '\n';
    }
    return 0;
  }
  std::fprintf(stderr, "usage: text_tool encode|decode MODEL, or text_tool normalize|pretokenize|decode_step|render\n");
  return 2;
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
