// The one main() of every test program.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

// What clang's OpenMP runtime keeps until the end is no leak of ours.
extern "C" const char* __lsan_default_suppressions() { return "leak:libomp"; }
