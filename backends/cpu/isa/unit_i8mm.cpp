// All kernels, compiled for i8mm.
#define ISA i8mm
#include "backends/cpu/isa/int8_i8mm.h"

#include "backends/cpu/kernels/table.h"
