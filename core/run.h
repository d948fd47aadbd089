// What changes from one run of a planned graph to the next: the rows of the batch and where their sequences keep state.
#pragma once
#include <cstdint>
#include <span>

namespace loam {

class Profile;

constexpr int kMaxRows = 512;         // a graph is planned for this many; larger batches are split
constexpr int kPageTokens = 64;       // positions per page of state
constexpr int kAttentionChunk = 256;  // absolute positions per partial softmax (a multiple of kPageTokens)

// One row of a batch: a token (or a given embedding where token is -1) at a position of a sequence.
struct Row {
  int32_t token = 0;
  int32_t position = 0;
  const uint32_t* pages = nullptr;   // the sequence's page table: position / kPageTokens -> page
  const float* embedding = nullptr;  // dim values, where token is -1
};

struct Run {
  std::span<const Row> rows;         // rows of one sequence in ascending position
  std::span<const int32_t> outputs;  // rows whose results are asked for, ascending
  Profile* profile = nullptr;        // where time is measured
};

}  // namespace loam
