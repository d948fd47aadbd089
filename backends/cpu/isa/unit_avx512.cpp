// All kernels, compiled for avx512.
#define ISA avx512
#include "backends/cpu/isa/int8_avx512.h"

#include "backends/cpu/kernels/table.h"
