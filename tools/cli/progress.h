// A progress line on a terminal's standard error: percent, rate and time left. Silent in scripts.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace loam {

class ProgressLine {
 public:
  enum class Unit : uint8_t { bytes, items };
  explicit ProgressLine(std::string label, Unit unit = Unit::bytes);
  ~ProgressLine() { finish(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(uint64_t done, uint64_t total);  // cheap: draws at most ten times a second
  void finish();                               // wipes the line

 private:
  std::string label_;
  Unit unit_;
  bool terminal_, drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

// The line's text, e.g. "converting   42 %   120 MiB/s   3 s left".
std::string progress_text(const std::string& label, ProgressLine::Unit unit, uint64_t done, uint64_t total,
                          double seconds);
// "1.5 GiB", "312 MiB", "17 KiB", "12 bytes".
std::string human_bytes(double bytes);

}  // namespace loam
