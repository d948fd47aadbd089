// All kernels, compiled for avx2.
#define ISA avx2
#if __has_include("backends/cpu/isa/int8_avx2.h")
#include "backends/cpu/isa/int8_avx2.h"
#else
#include "backends/cpu/isa/int8_avx2.h"
#define LOAM_NO_LINEAR
#endif

#include "backends/cpu/kernels/table.h"
