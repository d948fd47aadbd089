// Full unrolling of the loops over registers, for both compilers. A layer without registers defines it as nothing.
#pragma once

#ifndef UNROLL
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#endif

#ifndef UNROLL_BY_2
#ifdef __clang__
#define UNROLL_BY_2 _Pragma("unroll 2")
#else
#define UNROLL_BY_2 _Pragma("GCC unroll 2")
#endif
#endif
