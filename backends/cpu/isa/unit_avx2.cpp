// All kernels, compiled for avx2.
#define ISA avx2
#include "backends/cpu/isa/avx2.h"

#include "backends/cpu/kernels/table.h"
