// All kernels, compiled for scalar.
#define ISA scalar
#include "backends/cpu/isa/int8_scalar.h"

#include "backends/cpu/kernels/table.h"
