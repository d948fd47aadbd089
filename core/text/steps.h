// The steps that a tokenizer is made of. Each kind has one list of rows (type name -> maker) at the end of its .cpp;
// a name that is in no list is an error that tells it.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "core/text/model_scratch.h"

namespace loam {

struct TokenizerSpec;
class Vocabulary;

// A stretch of text between added tokens, cut into words. Steps may rewrite the text, or only cut.
struct Words {
  struct Range {
    size_t begin, end;
  };
  std::string text;
  std::vector<Range> ranges;
  bool first = false;  // the stretch is the very beginning of the input
  std::string_view word(Range r) const { return std::string_view(text).substr(r.begin, r.end - r.begin); }
};

struct Special {
  std::vector<int32_t> before, after;  // ids put around an encoded text
};

// `first`: the text begins the input; a step that removes its beginning clears it (only Metaspace asks).
using Normalizer = std::function<void(std::string& text, bool& first)>;
using PreTokenizer = std::function<void(Words&)>;
using TokenModel = std::function<void(std::string_view word, ModelScratch&, std::vector<int32_t>& out)>;
// Turns the texts of tokens into text, step by step; `begins`: the first of them begins the output, and the last ends
// it.
using Tokens = std::vector<std::string>;
using DecodeStep = std::function<void(Tokens& tokens, bool begins)>;
struct TokenDecoder {
  std::vector<DecodeStep> steps;
  bool fused = false;  // a step has joined all tokens into one
  std::string decode(Tokens tokens, bool begins) const;
};

// The maker of a JSON step; for null an empty function, no special tokens, a decoder that puts spaces between tokens.
Normalizer make_normalizer(const Json& step);
PreTokenizer make_pre_tokenizer(const Json& step);
TokenModel make_model(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
Special make_post_processor(const Json& step, const TokenizerSpec& spec);
TokenDecoder make_decoder(const Json& step);

// Shared by the makers: fields of a step, checked.
std::string step_type(const char* kind, const Json& step);
bool bool_field(const Json& step, const char* name, bool otherwise);
std::string string_field(const Json& step, const char* name);  // missing or null: empty
// {"String": text} or {"Regex": text}; is_regex tells which.
std::string pattern_field(const Json& step, const char* name, bool& is_regex);
// "pattern" (string or regex) -> "content", everywhere in a text; of a normalizer or decoder. The function tells
// whether it removed the beginning of the text.
std::function<bool(std::string& text)> make_replacer(const Json& step);
[[noreturn]] void fail_unknown_step(const char* kind, const std::string& type);

// GPT-2's mapping of bytes to printable characters: the code point of each byte, and back (-1: none).
const uint16_t* byte_to_char();
int char_to_byte(uint32_t code);
// "<0x0A>" -> 10, anything else -> -1.
int byte_token_value(std::string_view token);
void append_byte_chars(std::string& out, std::string_view bytes);  // each byte as its character
void replace_all(std::string& text, std::string_view from, std::string_view to);

constexpr std::string_view kMetaspace = "\xe2\x96\x81";  // U+2581

}  // namespace loam
