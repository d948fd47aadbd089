// Ctrl-C: the first one is a request that long work looks for, a second one leaves the program with exit code 130.
#pragma once
#include <string_view>

namespace loam {

// From here on. `last_words` go to standard output when the second one leaves.
void catch_interrupts(std::string_view last_words = {});
bool interrupted();      // a request is pending
void clear_interrupt();  // the request was served; the next Ctrl-C is a first one again

}  // namespace loam
