#!/usr/bin/env bash
# The kernels and the threads that share them, under the thread sanitizer.
[ -n "$LOAM_TEST_FULL" ] || { echo "SKIPPED: the thread sanitizer takes minutes (make test-full)"; exit 77; }
command -v clang++ >/dev/null || { echo "SKIPPED: clang++ is not installed (make deps)"; exit 77; }
build=${LOAM_BUILD:-build}/tsan
cmake -S "${LOAM_SOURCE:-.}" -B "$build" -DLOAM_KERNELS_ONLY=ON -DLOAM_CHECKS=OFF -DDOCTEST_INCLUDE=/usr/include \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DLOAM_SANITIZE=thread \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1\ -g1 $(command -v ninja >/dev/null && echo -G Ninja) || exit 1
cmake --build "$build" --target test_cpu --parallel "$(nproc)" || exit 1
env -u LOAM_TEST_FULL "$build/tests/test_cpu"  # full sweeps would take hours
