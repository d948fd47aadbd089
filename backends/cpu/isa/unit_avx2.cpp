// All kernels, compiled for avx2.
#define ISA avx2
#include "backends/cpu/isa/int8_avx2.h"

#include "backends/cpu/kernels/table.h"
