// Ctrl-C: the first one is a request that long work looks for, a second one leaves the program with exit code 130.
#pragma once

namespace loam {

void catch_interrupts();  // from here on
bool interrupted();       // a request is pending
void clear_interrupt();   // the request was served; the next Ctrl-C is a first one again

}  // namespace loam
