// All kernels, compiled for neon.
#define ISA neon
#include "backends/cpu/isa/int8_neon.h"

#include "backends/cpu/kernels/table.h"
