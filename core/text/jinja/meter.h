// Counts the memory that the values of one rendering hold.
#pragma once
#include <cstdint>

namespace loam::jinja {

struct Meter {
  int64_t live = 0, peak = 0, limit = INT64_MAX;  // bytes

  Meter();  // becomes the thread's current meter until its end
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void add(int64_t bytes);          // an Error beyond the limit
  void check(int64_t bytes) const;  // an Error where `bytes` more would be beyond it
  static Meter* current();          // null: nothing is counted

 private:
  Meter* outer_;
};

// What one node holds, while it lives.
class Charge {
 public:
  explicit Charge(int64_t bytes) : meter_(Meter::current()), bytes_(bytes) {
    if (meter_) meter_->add(bytes_);
  }
  ~Charge() {
    if (meter_) meter_->live -= bytes_;
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

 private:
  Meter* meter_;
  int64_t bytes_;
};

}  // namespace loam::jinja
