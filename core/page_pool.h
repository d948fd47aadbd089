// Which pages of state are free, and how many sequences share each.
#pragma once
#include <cstdint>
#include <vector>

#include "core/error.h"

namespace loam {

class PagePool {
 public:
  explicit PagePool(size_t pages) : shared_(pages, 0) {
    for (size_t p = pages; p > 0; --p) free_.push_back(uint32_t(p - 1));
  }
  size_t available() const { return free_.size(); }
  uint32_t take() {
    if (free_.empty())
      fail(Code::context_full, "all %zu pages of the context are in use: ask for a larger context, or remove sequences",
           shared_.size());
    const uint32_t page = free_.back();
    free_.pop_back();
    shared_[page] = 1;
    return page;
  }
  void share(uint32_t page) { ++shared_[page]; }
  void release(uint32_t page) {
    if (--shared_[page] == 0) free_.push_back(page);
  }
  bool is_shared(uint32_t page) const { return shared_[page] > 1; }
  uint32_t holders(uint32_t page) const { return shared_[page]; }

 private:
  std::vector<uint32_t> shared_;  // sequences that hold the page
  std::vector<uint32_t> free_;
};

}  // namespace loam
