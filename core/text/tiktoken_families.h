// Vocabularies that come as bare ranks: what the file does not say.
#pragma once
#include <cstddef>
#include <span>

namespace loam {

struct TiktokenFamily {
  // One token, or `count` numbered ones: text, a number from `from` on, "|>". An empty text leaves a gap of
  // `count` ids.
  struct Special {
    const char* text;
    int from = 0, count = 0;
  };
  const char* name = "";
  size_t ranks = 0;                  // how many the file has: this tells the family
  const char* pre = "";              // the steps, as tokenizer.ggml.pre names them
  std::span<const Special> special;  // in order behind the ranks, unless tokenizer_config.json lists them
  const char* bos = nullptr;
  const char* eos = nullptr;
};

std::span<const TiktokenFamily> tiktoken_families();

}  // namespace loam
