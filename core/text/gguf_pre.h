// GGUF names the steps before byte-level BPE by one word, tokenizer.ggml.pre; here are all words and their steps.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/text/steps.h"

namespace loam {

// A step in the words of tokenizer.json.
struct PreStep {
  enum Kind : uint8_t {
    split,             // Split by a regex, isolated
    digits,            // Digits, each alone
    digit_runs,        // Digits, runs
    punctuation,       // Punctuation, isolated
    punctuation_runs,  // Punctuation, contiguous
    gpt2,              // ByteLevel with its own regex
    bytes,             // ByteLevel without
    words,             // WhitespaceSplit
  };
  Kind kind;
  const char* pattern = nullptr;  // of split
};

struct GgufPre {
  // GPT-2's byte alphabet; UTF-8 with U+2581 for spaces and tokens for bytes; UTF-8 without spaces
  enum Spaces : uint8_t { as_bytes, as_metaspace, dropped };
  std::string_view names;  // separated by commas
  std::span<const PreStep> steps;
  bool nfc = false, ignore_merges = false, add_bos = false;
  Spaces spaces = as_bytes;

  Json normalizer() const;
  Json pre_tokenizer() const;
};

// The row with this name; an unknown name is an error that tells it and --pre.
const GgufPre& find_gguf_pre(std::string_view name);
std::span<const GgufPre> all_gguf_pres();
std::string gguf_pre_names();  // all of them, for messages: "llama-bpe, qwen2, ..."

}  // namespace loam
