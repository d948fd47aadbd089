// How the vector layers and kernels are inlined: an object of an instruction set must not emit a function that the
// linker could pick for code that runs everywhere.
#pragma once

#define LOAM_INLINE [[gnu::always_inline]] inline
// Inlines all that the function calls, e.g. a definition of core/.
#define LOAM_FLATTEN [[gnu::flatten]] inline
