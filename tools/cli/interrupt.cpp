// The SIGINT handler and its flag.
#include "tools/cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace loam {
namespace {

volatile std::sig_atomic_t pending = 0;
std::string_view last_words;

extern "C" void on_interrupt(int) {
  if (pending) {
    const bool written = last_words.empty() || write(STDOUT_FILENO, last_words.data(), last_words.size()) > 0;
    _exit(written ? 130 : 1);
  }
  pending = 1;
}

}  // namespace

void catch_interrupts(std::string_view words) {
  last_words = words;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);  // without SA_RESTART: a blocked read returns, so that the prompt sees it
}

bool interrupted() { return pending != 0; }
void clear_interrupt() { pending = 0; }

}  // namespace loam
