// Runs one op on a backend and compares with its definition: random inputs, weights and state, pages in random order,
// NaN wherever nothing may be read, guard bytes wherever nothing may be written.
#pragma once
#include <map>
#include <random>

#include "core/backend.h"
#include "core/types/codec.h"
#include "tests/compare.h"

namespace loam::tests {

// A case of any op.
struct Problem {
  Op op;
  double tolerance = 0;
  std::vector<int64_t> in = {};
  std::vector<WeightCase> weights = {};
  int rows = 1, past = 0;
  KvLayout state{};
  std::vector<int32_t> outputs = {};
  int sequences = 1;     // the rows belong to, in turn by threes
  bool special = false;  // NaN, infinities, huge, tiny, zero and random bits among the inputs
};

template <class O>
Problem problem_of(const Case<O>& c) {
  return {c.op, O::kTolerance, c.in, c.weights, c.rows, c.past, c.state, c.outputs};
}

inline float random_float(std::mt19937& random) {  // about normal
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += float(random() >> 8) * 0x1p-24f - 0.5f;
  return sum * 1.7f;
}

inline float special_float(std::mt19937& random) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  constexpr float kValues[] = {std::numeric_limits<float>::quiet_NaN(),
                               kInfinite,
                               -kInfinite,
                               3e38f,
                               -3e38f,
                               1e-40f,
                               -1e-30f,
                               0.f,
                               -0.f,
                               65504.f};
  return kValues[random() % std::size(kValues)];
}

constexpr size_t kGuard = 128;
constexpr std::byte kGuardByte{0xa5};

// The bytes of a problem, made from a seed; the definition and the backend each get a copy.
class ProblemData {
 public:
  ProblemData(const Problem& p, uint32_t seed) : problem_(p), random_(seed) {
    make_rows();
    std::vector<Value> in;
    for (int64_t cols : p.in) in.push_back(graph_.input(cols));
    std::vector<WeightId> weights;
    bytes_.reserve(p.weights.size());
    for (const WeightCase& w : p.weights) weights.push_back(graph_.weight(make_weight(w)));
    graph_.add(p.op, in, weights, p.state.kv_heads ? graph_.state(p.state) : -1);
    make_arena();
    make_state();
  }

  // Empty where the backend gives the definition's bits and touches nothing else.
  std::string check(Backend& backend) {
    std::vector<std::byte> expected = arena_, expected_state = state_;
    define(expected, expected_state);
    auto arena = backend.allocate(arena_.size());
    auto state = backend.allocate(state_.size());
    arena->write(0, arena_.data(), arena_.size());
    if (!state_.empty()) state->write(0, state_.data(), state_.size());
    Segment segment{&graph_, {0}, arena.get(), offsets_, {state.get()}, std::max(1, problem_.rows)};
    if (!backend.supports(graph_, graph_.nodes()[0])) return "not supported";
    auto plan = backend.plan(segment);
    backend.run(*plan, run());
    backend.wait();
    std::vector<std::byte> got(arena_.size()), got_state(state_.size());
    arena->read(0, got.data(), got.size());
    if (!got_state.empty()) state->read(0, got_state.data(), got_state.size());
    return compare(expected, got, expected_state, got_state);
  }

 private:
  Run run() const { return {rows_, outputs_}; }

  void make_rows() {
    const int n = problem_.rows;
    std::vector<int32_t> next;
    for (int s = 0; s < problem_.sequences; ++s) next.push_back(problem_.past + s * 19);
    std::vector<int> of_row;
    for (int r = 0; r < n; ++r) of_row.push_back(r / 3 % problem_.sequences);
    for (int r = 0; r < n; ++r) rows_.push_back({0, next[size_t(of_row[size_t(r)])]++});
    page_count_ = 1;  // page 0 belongs to nobody
    for (int32_t end : next) page_count_ += size_t(end / kPageTokens + 1);
    std::vector<uint32_t> free;
    for (uint32_t i = 1; i < page_count_; ++i) free.push_back(i);
    std::shuffle(free.begin(), free.end(), random_);
    for (int32_t end : next) {
      const size_t count = size_t(end / kPageTokens + 1);
      tables_.emplace_back(free.end() - long(count), free.end());
      free.resize(free.size() - count);
    }
    for (int r = 0; r < n; ++r) rows_[size_t(r)].pages = tables_[size_t(of_row[size_t(r)])].data();
    outputs_ = problem_.outputs;
    if (outputs_.empty()) {
      for (int r = 0; r < n; ++r) outputs_.push_back(r);
    }
    if (!problem_.weights.empty() && std::holds_alternative<Embed>(problem_.op)) make_tokens();
  }

  void make_tokens() {
    given_.resize(size_t(problem_.weights[0].k));
    for (float& x : given_) x = random_float(random_);
    for (Row& row : rows_) row.token = int32_t(random_() % uint32_t(problem_.weights[0].n));
    if (rows_.size() > 1) rows_[1].token = -1, rows_[1].embedding = given_.data();
  }

  Weight make_weight(const WeightCase& w) {
    Weight weight;
    weight.n = w.n, weight.k = w.k, weight.vector = w.type.empty();
    weight.type = weight.vector ? nullptr : find_type(w.type);
    if (!weight.vector && !weight.type) fail(Code::internal, "no type %.*s", int(w.type.size()), w.type.data());
    const size_t size = weight.vector ? size_t(w.n) * 4 : size_t(matrix_bytes(*weight.type, w.n, w.k));
    bytes_.emplace_back(size + 63);
    std::byte* data = bytes_.back().data();
    data += -reinterpret_cast<uintptr_t>(data) & 63;
    weight.data = data;
    std::vector<float> values(weight.vector ? size_t(w.n) : size_t(16 * w.k));
    for (int64_t row = 0; row < (weight.vector ? 1 : w.n); row += kTileRows) {
      for (float& x : values) x = random_float(random_);
      if (weight.vector)
        std::memcpy(data, values.data(), size);
      else
        quantize_row_block(*weight.type, w.k, values.data(), int(std::min<int64_t>(16, w.n - row)),
                           data + uint64_t(row / kTileRows) * row_block_bytes(*weight.type, w.k));
    }
    return weight;
  }

  size_t value_bytes(size_t v) const {
    const ValueShape& s = graph_.values()[v];
    return size_t(s.cols) * 4 * (s.rows == RowCount::batch ? rows_.size() : outputs_.size());
  }

  void make_arena() {
    size_t end = kGuard;
    for (size_t v = 0; v < graph_.values().size(); ++v) {
      offsets_.push_back(end);
      end = (end + value_bytes(v) + kGuard + 63) / 64 * 64;
    }
    arena_.assign(end, kGuardByte);
    for (size_t v = 0; v < graph_.values().size(); ++v) {
      float* x = reinterpret_cast<float*>(&arena_[offsets_[v]]);
      for (size_t i = 0; i < value_bytes(v) / 4; ++i) x[i] = v < problem_.in.size() ? input_value(v, i) : NAN;
    }
  }

  // Special values come in rows: all of them, a single one, any bits at all, or none.
  float input_value(size_t v, size_t i) {
    const size_t cols = size_t(problem_.in[v]), row = i / cols;
    if (problem_.special && row % 8 == 7) return std::bit_cast<float>(uint32_t(random_()));
    if (!problem_.special || row % 4 == 3) return random_float(random_);
    if (row % 4 == 0) return i % cols == cols / 2 ? special_float(random_) : random_float(random_);
    if (row % 4 == 1) return special_float(random_);
    return row % 8 == 2 ? 0.f : random_float(random_) * 1e38f;
  }

  // NaN in every slot but those up to the last row of each sequence.
  void make_state() {
    const KvLayout& l = problem_.state;
    state_.resize(page_count_ * l.page_bytes());
    std::fill(state_.begin(), state_.end(), std::byte{0xff});  // NaN in every type; of q8 in the scales
    const bool writes = std::holds_alternative<RopeKv>(problem_.op);
    std::map<const uint32_t*, int32_t> ends;  // by page table; rows are in ascending position
    for (const Row& row : rows_) {
      int32_t& end = ends[row.pages];
      for (; end <= row.position - (writes ? 1 : 0); ++end) fill_slot(row.pages[end / kPageTokens], end);
    }
  }

  void fill_slot(size_t page, int32_t position) {
    const KvLayout& l = problem_.state;
    const size_t slot = size_t(position % kPageTokens);
    for (size_t h = 0; h < size_t(l.kv_heads); ++h) {
      std::byte *keys = state_.data() + l.keys(page, h), *values = state_.data() + l.values(page, h);
      const float scale = problem_.special && position % 3 == 0 ? 1e-6f : 1.f;  // subnormal in f16
      if (l.type == KvType::q8) {
        for (size_t offset : {l.key_scales(page, h), l.value_scales(page, h)})
          reinterpret_cast<float*>(&state_[offset])[slot] = std::abs(random_float(random_)) * scale * 0.02f;
      }
      const float unit = l.type == KvType::q8 ? 35.f : scale;
      for (size_t d = 0; d < size_t(l.head_dim); ++d) {
        store_kv(l.type, keys, l.key_index(slot, d), random_float(random_) * unit);
        store_kv(l.type, values, l.value_index(slot, d), random_float(random_) * unit);
      }
      for (size_t d = size_t(l.head_dim); d < l.dims(); ++d) {
        store_kv(l.type, keys, l.key_index(slot, d), 0);
        store_kv(l.type, values, l.value_index(slot, d), 0);
      }
    }
  }

  void define(std::vector<std::byte>& arena, std::vector<std::byte>& state) const {
    const Node& node = graph_.nodes()[0];
    std::vector<Matrix> in, out;
    const auto bind = [&](Value v) {
      const int64_t cols = graph_.values()[size_t(v)].cols;
      return Matrix{reinterpret_cast<float*>(&arena[offsets_[size_t(v)]]), int64_t(value_bytes(size_t(v)) / 4) / cols,
                    cols};
    };
    for (Value v : node.inputs) in.push_back(bind(v));
    for (Value v : node.outputs) out.push_back(bind(v));
    std::vector<const Weight*> weights;
    for (WeightId w : node.weights) weights.push_back(&graph_.weights()[size_t(w)]);
    const OpArgs args{in, out, weights, {problem_.state, state.data()}, run()};
    std::visit(
        [&](const auto& op) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(op)>, std::monostate>) op.reference(args);
        },
        node.op);
  }

  std::string compare(const std::vector<std::byte>& expected, const std::vector<std::byte>& got,
                      const std::vector<std::byte>& expected_state, const std::vector<std::byte>& got_state) const {
    size_t end = 0;
    for (size_t v = 0; v <= graph_.values().size(); ++v) {
      const bool last = v == graph_.values().size();
      const size_t begin = last ? got.size() : offsets_[v];
      for (; end < begin; ++end) {
        if (got[end] != kGuardByte) return "a byte between the values was written, before value " + std::to_string(v);
      }
      if (last) break;
      const size_t size = value_bytes(v);
      const auto floats = [&](const std::vector<std::byte>& from) {
        return std::span(reinterpret_cast<const float*>(from.data() + begin), size / 4);
      };
      const std::string wrong = difference(floats(expected), floats(got), problem_.tolerance);
      if (!wrong.empty()) return "value " + std::to_string(v) + ": " + wrong;
      end = begin + size;
    }
    return state_difference(expected_state, got_state);
  }

  std::string state_difference(const std::vector<std::byte>& expected, const std::vector<std::byte>& got) const {
    const KvType type = problem_.state.type;
    const size_t bytes = problem_.state.value_bytes();
    for (size_t i = 0; i < expected.size() / bytes; ++i) {
      const float a = load_kv(type, expected.data(), i), b = load_kv(type, got.data(), i);
      if (!same_bits(a, b)) return "state: " + difference({&a, 1}, {&b, 1}, 0) + ", index " + std::to_string(i);
    }
    return "";
  }

  const Problem& problem_;
  std::mt19937 random_;
  Graph graph_;
  std::vector<std::vector<std::byte>> bytes_;  // of weights
  std::vector<std::vector<uint32_t>> tables_;
  size_t page_count_ = 0;
  std::vector<float> given_;
  std::vector<Row> rows_;
  std::vector<int32_t> outputs_;
  std::vector<size_t> offsets_;
  std::vector<std::byte> arena_, state_;
};

}  // namespace loam::tests
