#!/usr/bin/env bash
# The parts that read strangers' files, under the address and undefined behaviour sanitizers; built by clang with
# warnings as errors, so that this is the check of the second compiler as well. LOAM_SANITIZE_ROOMS chooses others.
command -v clang++ >/dev/null || { echo "SKIPPED: clang++ is not installed (make deps)"; exit 77; }
build=${LOAM_BUILD:-build}/asan
rooms=${LOAM_SANITIZE_ROOMS:-format text tool api}
cmake -S "${LOAM_SOURCE:-.}" -B "$build" -DLOAM_CHECKS=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang \
  -DCMAKE_CXX_COMPILER=clang++ -DLOAM_SANITIZE=address,undefined -DLOAM_PCH=ON -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1\ -g1 \
  $(command -v ninja >/dev/null && echo -G Ninja) || exit 1
targets=loam
for room in $rooms; do
  compgen -G "${LOAM_SOURCE:-.}/tests/${room}_*test.cpp" >/dev/null && targets+=" test_$room"
done
cmake --build "$build" --target $targets --parallel "$(nproc)" || exit 1
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
env -u LOAM_TEST_FULL ctest --test-dir "$build" --output-on-failure -j "$(nproc)" -R "^(${rooms// /|})$"  # full sweeps would take hours
