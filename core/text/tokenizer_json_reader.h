// Reads tokenizer.json in one pass: the big lists, vocabulary and merges, go into flat arrays; the rest becomes JSON.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"
#include "core/text/steps.h"

namespace loam {

struct TokenizerJsonParts {
  struct Text {
    size_t begin, size;  // of `texts`
  };
  struct Token {
    Text text;
    int64_t id;
    double score;  // 0 where there are none
  };
  struct Merge {
    Text left, right;
  };
  std::string texts;
  std::vector<Token> vocabulary;
  std::vector<Merge> merges;
  bool has_vocabulary = false;
  bool has_scores = false;  // the vocabulary is a list of [text, score], as Unigram has it
  Json root;                // without model.vocab and model.merges

  std::string_view text(Text t) const { return std::string_view(texts).substr(t.begin, t.size); }
};

// Fails with bad_file where the text is no JSON or the two lists are not what they should be.
TokenizerJsonParts read_tokenizer_json(std::string_view json);

}  // namespace loam
