// All kernels, compiled for scalar.
#define ISA scalar
#if __has_include("backends/cpu/isa/int8_scalar.h")
#include "backends/cpu/isa/int8_scalar.h"
#else
#include "backends/cpu/isa/int8_scalar.h"
#define LOAM_NO_LINEAR
#endif

#include "backends/cpu/kernels/table.h"
