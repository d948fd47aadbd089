// What an op is: its parameters, shape rule, definition and test cases, in one struct. Activations are f32 matrices
// whose rows are the batch's rows; weights are stored tensors; state is what a layer keeps per sequence.
#pragma once
#include <concepts>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/kv.h"
#include "core/math.h"
#include "core/run.h"
#include "core/types/type.h"

namespace loam {

// How many rows a value has: one per row of the batch, or one per row whose output was asked for.
enum class RowCount : uint8_t { batch, outputs };

struct ValueShape {
  RowCount rows = RowCount::batch;
  int64_t cols = 0;
  bool operator==(const ValueShape&) const = default;
};

struct Weight {  // a stored tensor: a matrix [n, k] in row blocks, or a vector of n f32
  const TypeInfo* type = nullptr;
  int64_t n = 0, k = 0;
  bool vector = false;
  const std::byte* data = nullptr;  // host bytes, 64-byte aligned

  const float* floats() const { return reinterpret_cast<const float*>(data); }
};

struct Matrix {  // rows x cols f32 in host memory, dense
  float* data = nullptr;
  int64_t rows = 0, cols = 0;
  float* row(int64_t r) const { return data + r * cols; }
};

struct State {  // keys and values of one layer in host memory
  KvLayout layout;
  std::byte* data = nullptr;
};

// What a definition works on.
struct OpArgs {
  std::span<const Matrix> in, out;
  std::span<const Weight* const> weights;
  State state;
  Run run;
};

// What an op may expect when it is added to a graph, to check and to give the shapes of its outputs.
struct OpShapes {
  std::span<const ValueShape> in;
  std::span<const Weight* const> weights;
  bool has_state = false;
  KvLayout state;
};

// A test case: shapes of everything; the harness fills it with random numbers.
struct WeightCase {
  std::string_view type;  // of a matrix; empty: a vector of n f32
  int64_t n, k = 0;
};
template <class Op>
struct Case {
  Op op;
  std::vector<int64_t> in;  // columns of each input
  std::vector<WeightCase> weights;
  int rows = 1;
  int past = 0;                       // positions already in the state
  KvLayout state{};                   // kv_heads == 0: no state
  std::vector<int32_t> outputs = {};  // rows asked for; empty: all
};

template <class Op>
concept Operation = requires(const Op op, const OpShapes& shapes, const OpArgs& args) {
  { Op::kName } -> std::convertible_to<std::string_view>;
  { Op::kTolerance } -> std::convertible_to<double>;
  { op.shape(shapes) } -> std::same_as<std::vector<ValueShape>>;
  op.reference(args);
  { Op::cases() } -> std::same_as<std::vector<Case<Op>>>;
};

// Shape checks shared by ops.
inline void expect_count(std::string_view op, const char* what, size_t found, size_t expected) {
  if (found != expected)
    fail(Code::bad_argument, "%.*s: found %zu %s, expected %zu", int(op.size()), op.data(), found, what, expected);
}
inline void expect_size(std::string_view op, const char* what, int64_t found, int64_t expected) {
  if (found != expected)
    fail(Code::bad_argument, "%.*s: %s is %lld, expected %lld", int(op.size()), op.data(), what, (long long)found,
         (long long)expected);
}

}  // namespace loam
