// Drawing of the progress line.
#include "tools/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace loam {

std::string human_bytes(double bytes) {
  const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t i = 0;
  for (; bytes >= 1024 && i + 1 < std::size(units); i++) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, i > 1 && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
  return text;
}

std::string progress_text(const std::string& label, ProgressLine::Unit unit, uint64_t done, uint64_t total,
                          double seconds) {
  const double part = total ? std::min(1.0, double(done) / double(total)) : 0;
  std::string text = label;
  char piece[64];
  std::snprintf(piece, sizeof piece, "  %3d %%", int(part * 100));
  text += piece;
  if (seconds < 0.3 || done == 0) return text;  // too early for a rate
  const double rate = double(done) / seconds;
  if (unit == ProgressLine::Unit::bytes)
    text += "  " + human_bytes(rate) + "/s";
  else
    std::snprintf(piece, sizeof piece, "  %.0f/s", rate), text += piece;
  const auto left = int64_t(seconds * (1 - part) / std::max(part, 1e-6) + 0.5);
  if (left >= 100)
    std::snprintf(piece, sizeof piece, "  %d:%02d min left", int(left / 60), int(left % 60));
  else
    std::snprintf(piece, sizeof piece, "  %d s left", int(left));
  return text + piece;
}

ProgressLine::ProgressLine(std::string label, Unit unit)
    : label_(std::move(label)),
      unit_(unit),
      terminal_(isatty(STDERR_FILENO)),
      start_(std::chrono::steady_clock::now()) {}

void ProgressLine::update(uint64_t done, uint64_t total) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  drawn_ = true, last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r%s\x1b[K", progress_text(label_, unit_, done, total, seconds).c_str());
  std::fflush(stderr);
}

void ProgressLine::finish() {
  if (drawn_) std::fprintf(stderr, "\r\x1b[K"), std::fflush(stderr);
  drawn_ = false;
}

}  // namespace loam
