// A session runs batches of rows through a model and keeps the state of many sequences. One thread at a time.
#pragma once
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/executor.h"
#include "core/models/decoder.h"
#include "core/page_pool.h"

namespace loam {

struct SessionOptions {
  int64_t context =
      4096;  // of all sequences together, in whole pages of 64; 0: the model's own, or what fits into memory
  DecoderOptions decoder = {};
  int max_rows = kMaxRows;  // larger batches are split
};

// One row to compute: the next position of its sequence.
struct BatchRow {
  int32_t token = 0;
  int sequence = 0;
  bool output = false;               // logits are wanted
  const float* embedding = nullptr;  // dim values instead of a token (token = -1)
};

struct SessionStats {
  uint64_t rows = 0;          // computed so far
  uint64_t pages_copied = 0;  // by copy on write, counted per layer
};

class Session {
 public:
  Session(std::shared_ptr<const Model> model, Placement placement, SessionOptions options = {});

  const Model& model() const { return *model_; }
  int create_sequence();
  // A new sequence that shares the first `length` positions; copies nothing yet.
  int fork_sequence(int sequence, int64_t length);
  void remove_sequence(int sequence);
  // Lengthens a sequence of whole pages to `length` positions with copies of those: text that makes no sense, for
  // measurements at depth.
  void repeat(int sequence, int64_t length);
  // Forgets positions from `length` on.
  void truncate(int sequence, int64_t length);
  int64_t length(int sequence) const { return get(sequence).length; }
  int64_t free_positions() const { return int64_t(pool_.available()) * kPageTokens; }  // in whole pages

  // Appends the rows to their sequences. Error{context_full} leaves everything as it was. Logits of the rows with
  // `output`, in order, stay valid until the next call.
  void decode(std::span<const BatchRow> rows);
  size_t output_count() const { return output_count_; }
  std::span<const float> logits(size_t output) const;

  // Where the next calls add up their time; null: nowhere.
  void set_profile(Profile* profile) { profile_ = profile; }

  const SessionStats& stats() const { return stats_; }
  const Executor& executor() const { return *executor_; }

 private:
  struct Sequence {
    std::vector<uint32_t> pages;  // capacity reserved, so that its address never changes
    int64_t length = 0;
    int64_t pending = 0;  // rows of the batch being checked
    bool used = false;
  };

  const Sequence& get(int sequence) const;
  Sequence& get(int sequence) { return const_cast<Sequence&>(std::as_const(*this).get(sequence)); }
  int new_slot();
  void check(std::span<const BatchRow> rows);
  void reserve(Sequence& s, int64_t rows);
  void own_page(Sequence& s, size_t index);
  void copy_page(uint32_t from, uint32_t to);
  void run_part(std::span<const BatchRow> rows, bool keep);

  std::shared_ptr<const Model> model_;
  Decoder decoder_;
  size_t pages_;
  PagePool pool_;
  std::unique_ptr<Executor> executor_;
  int max_rows_;
  std::vector<std::unique_ptr<Sequence>> sequences_;
  std::vector<Row> rows_;
  std::vector<int32_t> outputs_;
  size_t output_count_ = 0;
  const float* direct_ = nullptr;  // logits of an unsplit batch, in the executor's memory
  std::vector<float> kept_;        // logits of a batch that was split
  SessionStats stats_;
  Profile* profile_ = nullptr;
};

}  // namespace loam
