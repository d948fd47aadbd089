#!/usr/bin/env bash
# The kernels on 64-bit ARM: cross-compiled, their tests run under qemu-user.
for tool in aarch64-linux-gnu-g++ qemu-aarch64 cmake; do
  command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed (make deps)"; exit 77; }
done
build=${LOAM_BUILD:-build}/aarch64
cmake -S "${LOAM_SOURCE:-.}" -B "$build" -DLOAM_KERNELS_ONLY=ON -DLOAM_CHECKS=OFF -DDOCTEST_INCLUDE=/usr/include \
  -DCMAKE_TOOLCHAIN_FILE="${LOAM_SOURCE:-.}/tests/cmake/aarch64.cmake" $(command -v ninja >/dev/null && echo -G Ninja) || exit 1
cmake --build "$build" --target loam_tests --parallel "$(nproc)" || exit 1
LOAM_QUICK=1 ctest --test-dir "$build" --output-on-failure -j "$(nproc)"
