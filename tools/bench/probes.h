// What this machine can do right now: the yardsticks beside every measurement.
#pragma once

namespace loam {

// int8 multiply-adds of all threads together, in 10^9 operations per second (a multiply-add is two), with the widest
// dot product of this processor; 0 where it has none that we know.
double int8_peak(int threads);
// Bytes read from memory by all threads together, in 10^9 per second.
double read_bandwidth(int threads);

}  // namespace loam
