// Everything a device must do, in ten functions.
#pragma once
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/graph.h"

namespace loam {

// Memory of one backend; frees itself. Offsets and sizes in bytes.
class Buffer {
 public:
  explicit Buffer(size_t bytes) : size_(bytes) {}
  virtual ~Buffer() = default;
  virtual void write(size_t offset, const void* from, size_t bytes) = 0;
  virtual void read(size_t offset, void* to, size_t bytes) const = 0;
  virtual void copy_within(size_t to, size_t from, size_t bytes) = 0;
  virtual std::byte* host() { return nullptr; }  // where the host can address it
  size_t size() const { return size_; }

 private:
  size_t size_;
};

// A run of consecutive nodes for one backend. Everything it points to outlives the plan.
struct Segment {
  const Graph* graph = nullptr;
  std::vector<int> nodes;             // indices, in order of execution
  Buffer* arena = nullptr;            // of this backend; values lie in it at
  std::vector<size_t> value_offsets;  // ... these offsets, for every value of the graph (64-byte aligned, dense rows)
  std::vector<Buffer*> states;        // by StateId; null where another backend keeps it
  int max_rows = kMaxRows;
};

class Plan {
 public:
  virtual ~Plan() = default;
  virtual size_t bytes() const { return 0; }  // of scratch memory
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual std::unique_ptr<Buffer> allocate(size_t bytes) = 0;  // zeroed, 64-byte aligned
  // Makes weights ready (uploads them; host backends use the mapped bytes in place and do nothing).
  virtual void prepare(const Weight&) {}
  virtual bool supports(const Graph&, const Node&) const = 0;  // no: the reference backend runs the node
  virtual std::unique_ptr<Plan> plan(Segment segment) = 0;     // allocates all scratch memory
  virtual void run(Plan& plan, const Run& run) = 0;            // may return before it is done; does not allocate
  virtual void wait() {}
};

using BackendFactory = std::function<std::unique_ptr<Backend>()>;

}  // namespace loam
