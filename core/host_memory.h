// Buffers in host memory and the binding of a segment's values to it, for the backends that run on the host.
#pragma once
#include "core/backend.h"

namespace loam {

// Zeroed pages from the operating system; a page takes memory when it is first touched.
class HostBuffer final : public Buffer {
 public:
  explicit HostBuffer(size_t bytes);
  ~HostBuffer() override;
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;
  void write(size_t offset, const void* from, size_t bytes) override { std::memcpy(data_ + offset, from, bytes); }
  void read(size_t offset, void* to, size_t bytes) const override { std::memcpy(to, data_ + offset, bytes); }
  void copy_within(size_t to, size_t from, size_t bytes) override { std::memmove(data_ + to, data_ + from, bytes); }
  std::byte* host() override { return data_; }

 private:
  std::byte* data_ = nullptr;
  size_t mapped_ = 0;
};

// For memory that fills from its start and is read whole: huge pages, but for the first 8 MiB.
void prefer_huge_pages(Buffer& buffer);

inline int64_t row_count(const ValueShape& v, const Run& run) {
  return int64_t(v.rows == RowCount::batch ? run.rows.size() : run.outputs.size());
}

// Where a value lies during a run.
inline Matrix bind_value(const Segment& s, Value v, const Run& run) {
  const ValueShape& shape = s.graph->values()[size_t(v)];
  return {reinterpret_cast<float*>(s.arena->host() + s.value_offsets[size_t(v)]), row_count(shape, run), shape.cols};
}

// The state of a node, or an empty one.
inline State bind_state(const Segment& s, const Node& n) {
  if (n.state < 0) return {};
  return {s.graph->states()[size_t(n.state)], s.states[size_t(n.state)]->host()};
}

}  // namespace loam
