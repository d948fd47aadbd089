// All kernels, compiled for avxvnni (or, in tests, with another encoding, under another name).
#ifndef ISA
#define ISA avxvnni
#endif
#include "backends/cpu/isa/int8_avxvnni.h"

#include "backends/cpu/kernels/table.h"
