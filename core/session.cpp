#include "core/session.h"

#include <algorithm>

#include "core/machine.h"

namespace loam {
namespace {

size_t pages_for(int64_t positions) { return size_t((positions + kPageTokens - 1) / kPageTokens); }

// The model's own context, or three quarters of the memory that is free beside what does not grow with it.
int64_t fitting_context(const Model& model, const Graph& graph, const Placement& placement, int max_rows) {
  const int64_t own = model.config().context;
  const uint64_t free = available_memory().bytes;
  uint64_t page_bytes = 1;
  for (const KvLayout& state : graph.states()) page_bytes += state.page_bytes();
  if (pages_for(own) < free / 4 / page_bytes) return own;
  const uint64_t fixed = std::min(free, Executor(graph, placement, 1, max_rows).memory());
  const uint64_t pages = std::max<uint64_t>(1, (free - fixed) / 4 * 3 / page_bytes);
  return int64_t(std::min(uint64_t(own), pages * uint64_t(kPageTokens)));
}

size_t checked_pages(int64_t context) {
  if (context < 1 || context > (int64_t(1) << 31) - kPageTokens)
    fail(Code::bad_argument, "a context of %lld positions: expected 1 to 2^31 - 64", (long long)context);
  return pages_for(context);
}

}  // namespace

Session::Session(std::shared_ptr<const Model> model, Placement placement, SessionOptions options)
    : model_(std::move(model)),
      decoder_(build_decoder(*model_, options.decoder)),
      pages_(checked_pages(options.context ? options.context
                                           : fitting_context(*model_, decoder_.graph, placement, options.max_rows))),
      pool_(pages_),
      max_rows_(options.max_rows) {
  executor_ = std::make_unique<Executor>(decoder_.graph, std::move(placement), pages_, max_rows_);
  rows_.reserve(size_t(max_rows_));
  outputs_.reserve(size_t(max_rows_));
}

const Session::Sequence& Session::get(int sequence) const {
  if (sequence < 0 || size_t(sequence) >= sequences_.size() || !sequences_[size_t(sequence)]->used)
    fail(Code::bad_argument, "sequence %d does not exist", sequence);
  return *sequences_[size_t(sequence)];
}

int Session::new_slot() {
  const auto free = std::find_if(sequences_.begin(), sequences_.end(), [](const auto& s) { return !s->used; });
  const int id = int(free - sequences_.begin());
  if (free == sequences_.end()) sequences_.push_back(std::make_unique<Sequence>());
  Sequence& s = *sequences_[size_t(id)];
  s.pages.clear();
  s.pages.reserve(pages_);
  s.length = s.pending = 0;
  s.used = true;
  return id;
}

int Session::create_sequence() { return new_slot(); }

int Session::fork_sequence(int sequence, int64_t length) {
  if (length < 0 || length > get(sequence).length)
    fail(Code::bad_argument, "cannot fork at position %lld of a sequence of %lld", (long long)length,
         (long long)get(sequence).length);
  const int id = new_slot();
  const Sequence& from = get(sequence);
  Sequence& to = get(id);
  to.length = length;
  to.pages.assign(from.pages.begin(), from.pages.begin() + std::ptrdiff_t(pages_for(length)));
  for (uint32_t page : to.pages) pool_.share(page);
  return id;
}

void Session::remove_sequence(int sequence) {
  truncate(sequence, 0);
  get(sequence).used = false;
}

void Session::truncate(int sequence, int64_t length) {
  Sequence& s = get(sequence);
  if (length < 0 || length > s.length)
    fail(Code::bad_argument, "cannot cut a sequence of %lld positions to %lld", (long long)s.length, (long long)length);
  s.length = length;
  for (; s.pages.size() > pages_for(length); s.pages.pop_back()) pool_.release(s.pages.back());
}

// Everything that could fail is found before anything changes.
void Session::check(std::span<const BatchRow> rows) {
  for (const auto& s : sequences_) s->pending = 0;
  for (const BatchRow& r : rows) {
    ++get(r.sequence).pending;
    const bool given = r.token == -1 && r.embedding;
    if (!given && (r.token < 0 || r.token >= model_->config().vocab))
      fail(Code::bad_argument, "token %d is not in the vocabulary of %lld", r.token, (long long)model_->config().vocab);
  }
  size_t needed = 0;
  for (const auto& s : sequences_) {
    if (!s->pending) continue;
    needed += pages_for(s->length + s->pending) - s->pages.size();
    if (s->length % kPageTokens == 0 || !pool_.is_shared(s->pages.back())) continue;
    const auto writers = std::count_if(std::as_const(sequences_).data(), &s + 1, [&](const auto& o) {
      return o->pending && o->length % kPageTokens && o->pages.back() == s->pages.back();
    });
    needed += uint64_t(writers) < pool_.holders(s->pages.back());  // the last of all that hold a page keeps it
  }
  if (needed > pool_.available()) {
    fail(Code::context_full, "%zu positions do not fit into the context of %zu: %zu are free", rows.size(),
         pages_ * kPageTokens, pool_.available() * kPageTokens);
  }
}

// Room for more rows, in pages that no other sequence reads.
void Session::reserve(Sequence& s, int64_t rows) {
  if (s.length % kPageTokens != 0 && pool_.is_shared(s.pages.back())) own_page(s, s.pages.size() - 1);
  while (s.pages.size() < pages_for(s.length + rows)) s.pages.push_back(pool_.take());
}

void Session::own_page(Sequence& s, size_t index) {
  const uint32_t shared = s.pages[index], own = pool_.take();
  copy_page(shared, own);
  pool_.release(shared);
  s.pages[index] = own;
}

void Session::copy_page(uint32_t from, uint32_t to) {
  for (size_t i = 0; i < executor_->state_count(); ++i) {
    const size_t bytes = decoder_.graph.states()[i].page_bytes();
    executor_->state(StateId(i)).copy_within(to * bytes, from * bytes, bytes);
    ++stats_.pages_copied;
  }
}

void Session::repeat(int sequence, int64_t length) {
  Sequence& s = get(sequence);
  const size_t whole = s.pages.size();
  if (s.length == 0 || s.length % kPageTokens || length < s.length)
    fail(Code::bad_argument, "cannot repeat %lld positions to %lld: expected whole pages of %d and more of them",
         (long long)s.length, (long long)length, kPageTokens);
  if (pages_for(length) > whole + pool_.available())
    fail(Code::context_full, "%lld positions do not fit into the context of %zu", (long long)length,
         pages_ * kPageTokens);
  while (s.pages.size() < pages_for(length)) {
    s.pages.push_back(pool_.take());
    copy_page(s.pages[s.pages.size() - 1 - whole], s.pages.back());
  }
  s.length = length;
}

void Session::decode(std::span<const BatchRow> rows) {
  check(rows);
  output_count_ = 0;
  kept_.clear();
  direct_ = nullptr;
  for (const auto& s : sequences_) {
    if (s->used && s->pending) reserve(*s, s->pending);
  }
  const bool split = rows.size() > size_t(max_rows_);
  for (size_t first = 0; first < rows.size(); first += size_t(max_rows_))
    run_part(rows.subspan(first, std::min(rows.size() - first, size_t(max_rows_))), split);
}

void Session::run_part(std::span<const BatchRow> rows, bool keep) {
  rows_.clear();
  outputs_.clear();
  for (const BatchRow& r : rows) {
    Sequence& s = get(r.sequence);
    if (r.output) outputs_.push_back(int32_t(rows_.size()));
    rows_.push_back({r.token, int32_t(s.length++), s.pages.data(), r.embedding});
  }
  executor_->run({rows_, outputs_, profile_});
  stats_.rows += rows.size();
  output_count_ += outputs_.size();
  const float* logits = executor_->output(decoder_.logits);
  if (keep)
    kept_.insert(kept_.end(), logits, logits + outputs_.size() * size_t(model_->config().vocab));
  else
    direct_ = logits;
}

std::span<const float> Session::logits(size_t output) const {
  if (output >= output_count_) fail(Code::bad_argument, "output %zu of %zu does not exist", output, output_count_);
  const size_t vocab = size_t(model_->config().vocab);
  return {(direct_ ? direct_ : kept_.data()) + output * vocab, vocab};
}

}  // namespace loam
