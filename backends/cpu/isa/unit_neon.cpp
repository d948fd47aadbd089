// All kernels, compiled for neon.
#define ISA neon
#if __has_include("backends/cpu/isa/int8_neon.h")
#include "backends/cpu/isa/int8_neon.h"
#else
#include "backends/cpu/isa/int8_neon.h"
#define LOAM_NO_LINEAR
#endif

#include "backends/cpu/kernels/table.h"
