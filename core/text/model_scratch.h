// Per call memory of a model, reused from word to word.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/text/merging.h"
#include "core/text/word_cache.h"

namespace loam {

struct ModelScratch {
  struct Node {  // of Unigram: the best way to a place of the word
    double score;
    int32_t id, length;  // the last token on it (-1: no token) and its bytes (-1: no way yet)
  };
  struct Piece {
    size_t begin, end;
    int32_t id;
  };
  WordCache cache;
  MergeScratch merging;
  std::vector<int32_t> first;     // ids of a word's first symbols
  std::vector<uint32_t> offsets;  // where they begin in it
  std::vector<Node> nodes;
  std::vector<Piece> pieces;
};

}  // namespace loam
