#include "tools/inspect/compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/types/codec.h"
#include "core/types/record.h"
#include "tools/convert/row_tasks.h"

namespace loam {
namespace {

struct Sums {
  double largest = 0, error = 0, power = 0;
  uint64_t differing = 0;
};

void add_rows(const float* stored, const float* source, int64_t count, Sums& s) {
  for (int64_t i = 0; i < count; ++i) {
    if (std::bit_cast<uint32_t>(stored[i]) != std::bit_cast<uint32_t>(source[i])) ++s.differing;
    const double x = double(source[i]), e = double(stored[i]) - x;
    s.error += e * e, s.power += x * x;
    s.largest = std::max(s.largest, std::isfinite(e) ? std::fabs(e) : std::numeric_limits<double>::infinity());
  }
}

struct Pair {
  const StoredTensor* stored;
  size_t source;
};

void compare_blocks(const Pair& pair, const Source& source, const RowTask& task, Sums& sums) {
  const StoredTensor& t = *pair.stored;
  std::vector<float> a(size_t(t.k)), b(size_t(t.k));
  if (t.vector) {
    std::memcpy(a.data(), t.bytes.data(), a.size() * sizeof(float));
    source.read_rows(pair.source, 0, 1, b.data());
    return add_rows(a.data(), b.data(), t.k, sums);
  }
  const uint64_t record = row_block_bytes(*t.type, t.k);
  const int64_t end = std::min(t.n, (task.first_block + task.blocks) * kTileRows);
  for (int64_t row = task.first_block * kTileRows; row < end; ++row) {
    const std::byte* from = t.bytes.data() + uint64_t(row / kTileRows) * record;
    dequantize_row(*t.type, t.k, from, int(row % kTileRows), a.data());
    source.read_rows(pair.source, row, 1, b.data());
    add_rows(a.data(), b.data(), t.k, sums);
  }
}

// The tensors that both have; what only one has becomes a problem.
std::vector<Pair> match(const ModelSource& stored, const Source& source, std::vector<std::string>& problems) {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < source.tensors.size(); ++i) {
    const SourceTensor& from = source.tensors[i];
    const StoredTensor* t = stored.find(from.name);
    if (!t)
      problems.push_back("tensor '" + from.name + "' is missing");
    else if (t->n != from.n || t->k != from.k || t->vector != from.vector || t->experts != 1)
      problems.push_back("tensor '" + from.name + "' has another shape");
    else
      pairs.push_back({t, i});
  }
  for (const StoredTensor& t : stored.tensors()) {
    const auto same = [&](const SourceTensor& s) { return s.name == t.name; };
    if (std::none_of(source.tensors.begin(), source.tensors.end(), same))
      problems.push_back("tensor '" + t.name + "' is not in the source");
  }
  return pairs;
}

}  // namespace

bool Comparison::equal() const {
  return problems.empty() &&
         std::all_of(tensors.begin(), tensors.end(), [](const TensorComparison& t) { return t.differing == 0; });
}

Comparison compare(const ModelSource& stored, const Source& source, const Progress& progress) {
  Comparison out;
  if (ModelConfig::read(stored.metadata()) != source.config)
    out.problems.push_back("the model's settings differ from the source's");
  const std::vector<Pair> pairs = match(stored, source, out.problems);
  std::vector<RowTask> tasks;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const StoredTensor& t = *pairs[i].stored;
    const int64_t blocks = t.vector ? 1 : row_blocks(t.n), step = std::max<int64_t>(1, (1 << 16) / t.k);
    for (int64_t b = 0; b < blocks; b += step)
      tasks.push_back({i, b, std::min(step, blocks - b), uint64_t(std::min(step, blocks - b) * t.k)});
  }
  std::vector<Sums> sums(tasks.size());
  run_tasks(tasks, 0, progress, [&](size_t i) { compare_blocks(pairs[tasks[i].tensor], source, tasks[i], sums[i]); });
  std::vector<Sums> totals(pairs.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    Sums& t = totals[tasks[i].tensor];
    t.error += sums[i].error, t.power += sums[i].power, t.differing += sums[i].differing;
    t.largest = std::max(t.largest, sums[i].largest);
  }
  for (size_t i = 0; i < pairs.size(); ++i) {
    const double nmse = totals[i].power > 0 ? totals[i].error / totals[i].power : 0;
    out.tensors.push_back({pairs[i].stored->name, totals[i].largest, nmse, totals[i].differing});
  }
  return out;
}

}  // namespace loam
