// The C API: sessions, sequences and batches.
#include <algorithm>

#include "core/loam_api_internal.h"

using namespace loam;
using namespace loam::api;

namespace {

constexpr size_t kPartRows = 128;  // rows between two calls of a progress callback

struct Touched {  // a sequence of the batch at hand, as it was before
  int sequence;
  int64_t length, rows;
};

}  // namespace

struct loam_session {
  std::shared_ptr<const ModelState> model;
  std::unique_ptr<Session> session;
  loam_progress progress = nullptr;
  void* progress_user = nullptr;
  std::vector<BatchRow> rows;
  std::vector<Touched> touched;
  size_t outputs = 0;
  bool in_parts = false;    // the last batch: its logits are
  std::vector<float> kept;  // ... here
};

namespace {

Session& session_of(loam_session* s) { return *required(s, "session").session; }
const Session& session_of(const loam_session* s) { return *required(s, "session").session; }

SessionOptions options_of(const loam_session_options& o) {
  if (o.kv_type < LOAM_KV_F16 || o.kv_type > LOAM_KV_Q8) fail(Code::bad_argument, "no kv_type %d", o.kv_type);
  if (o.activations != LOAM_ACTIVATIONS_INT8 && o.activations != LOAM_ACTIVATIONS_F32)
    fail(Code::bad_argument, "no activations %d", o.activations);
  SessionOptions options;
  options.context = o.context;
  options.decoder.kv = KvType(o.kv_type);
  options.decoder.activations =
      o.activations == LOAM_ACTIVATIONS_F32 ? Activations::Kind::f32 : Activations::Kind::int8;
  return options;
}

void read_rows(loam_session& s, std::span<const loam_row> rows) {
  s.rows.clear();
  s.touched.clear();
  for (size_t i = 0; i < rows.size(); ++i) {
    const loam_row& r = rows[i];
    if (r.reserved) fail(Code::bad_argument, "row %zu: the reserved field is %d, expected 0", i, r.reserved);
    if ((r.token == -1) != (r.embedding != nullptr))
      fail(Code::bad_argument, "row %zu has token %d and %s embedding: expected a token, or -1 and an embedding", i,
           r.token, r.embedding ? "an" : "no");
    s.rows.push_back({r.token, r.sequence, r.output != 0, r.embedding});
    auto it = s.touched.end();
    if (!s.touched.empty() && s.touched.back().sequence == r.sequence)
      --it;
    else
      it = std::find_if(s.touched.begin(), it, [&](const Touched& t) { return t.sequence == r.sequence; });
    if (it == s.touched.end()) it = s.touched.insert(it, {r.sequence, s.session->length(r.sequence), 0});
    ++it->rows;
  }
}

// Refuses a batch that cannot fit before its first part is computed.
void check_room(const loam_session& s) {
  int64_t pages = 0;
  for (const Touched& t : s.touched)
    pages += (t.length + t.rows + kPageTokens - 1) / kPageTokens - (t.length + kPageTokens - 1) / kPageTokens;
  if (pages * kPageTokens > s.session->free_positions())
    fail(Code::context_full, "%zu rows need %lld new positions in whole pages, of the context %lld are free",
         s.rows.size(), (long long)(pages * kPageTokens), (long long)s.session->free_positions());
}

void decode_in_parts(loam_session& s) {
  check_room(s);
  s.kept.clear();
  for (size_t first = 0; first < s.rows.size(); first += kPartRows) {
    if (s.progress(s.progress_user, first, s.rows.size()))
      fail(Code::cancelled, "cancelled after %zu of %zu rows", first, s.rows.size());
    s.session->decode(std::span(s.rows).subspan(first, std::min(kPartRows, s.rows.size() - first)));
    for (size_t i = 0; i < s.session->output_count(); ++i) {
      const std::span<const float> logits = s.session->logits(i);
      s.kept.insert(s.kept.end(), logits.begin(), logits.end());
    }
  }
}

void decode(loam_session& s, std::span<const loam_row> rows) {
  s.outputs = 0;
  read_rows(s, rows);
  s.in_parts = s.progress && rows.size() > kPartRows;
  try {
    if (s.in_parts)
      decode_in_parts(s);
    else
      s.session->decode(s.rows);
  } catch (...) {
    for (const Touched& t : s.touched) s.session->truncate(t.sequence, t.length);
    throw;
  }
  for (const BatchRow& r : s.rows) s.outputs += r.output;
}

}  // namespace

extern "C" {

loam_status loam_session_create(const loam_model* model, const loam_session_options* options, loam_session** session) {
  return guarded([&] {
    required(session, "session") = nullptr;
    const std::shared_ptr<const ModelState> state = required(model, "model").state;
    const loam_session_options o = read_options(options, loam_session_options(LOAM_SESSION_OPTIONS_INIT),
                                                sizeof(loam_session_options), "loam_session_options");
    auto s = std::make_unique<loam_session>();
    s->model = state;
    s->progress = o.progress;
    s->progress_user = o.progress_user;
    s->session = std::make_unique<Session>(state->model, placement_of(o.backend, o.threads), options_of(o));
    for (const std::string& line : s->session->executor().fallbacks())
      state->say(LOAM_LOG_WARNING, "runs in the reference backend: " + line);
    *session = s.release();
  });
}

loam_status loam_session_free(loam_session* session) {
  return guarded([&] { delete session; });
}

loam_status loam_sequence_create(loam_session* session, int32_t* sequence) {
  return guarded([&] {
    required(sequence, "sequence") = -1;
    *sequence = session_of(session).create_sequence();
  });
}

loam_status loam_sequence_fork(loam_session* session, int32_t from, int64_t length, int32_t* sequence) {
  return guarded([&] {
    required(sequence, "sequence") = -1;
    *sequence = session_of(session).fork_sequence(from, length);
  });
}

loam_status loam_sequence_truncate(loam_session* session, int32_t sequence, int64_t length) {
  return guarded([&] { session_of(session).truncate(sequence, length); });
}

loam_status loam_sequence_remove(loam_session* session, int32_t sequence) {
  return guarded([&] { session_of(session).remove_sequence(sequence); });
}

loam_status loam_sequence_length(const loam_session* session, int32_t sequence, int64_t* length) {
  return guarded([&] { required(length, "length") = session_of(session).length(sequence); });
}

loam_status loam_session_free_positions(const loam_session* session, int64_t* positions) {
  return guarded([&] { required(positions, "positions") = session_of(session).free_positions(); });
}

loam_status loam_session_decode(loam_session* session, const loam_row* rows, size_t count) {
  return guarded([&] { decode(required(session, "session"), array_argument(rows, count, "rows")); });
}

loam_status loam_session_logits(const loam_session* session, size_t index, const float** logits, size_t* count) {
  return guarded([&] {
    required(logits, "logits") = nullptr;
    const loam_session& s = required(session, "session");
    if (index >= s.outputs) fail(Code::bad_argument, "output %zu of %zu does not exist", index, s.outputs);
    const size_t vocab = size_t(s.model->model->config().vocab);
    *logits = s.in_parts ? &s.kept[index * vocab] : s.session->logits(index).data();
    if (count) *count = vocab;
  });
}

}  // extern "C"
