#!/usr/bin/env bash
# aarch64.sh [instructions]: the kernels on 64-bit ARM, cross-compiled; their tests run under qemu-user, and their
# instructions are counted (instructions.sh), or only that.
for tool in aarch64-linux-gnu-g++ qemu-aarch64 cmake; do
  command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed (make deps)"; exit 77; }
done
build=${LOAM_BUILD:-build}/aarch64
cmake -S "${LOAM_SOURCE:-.}" -B "$build" -DLOAM_KERNELS_ONLY=ON -DLOAM_CHECKS=OFF -DDOCTEST_INCLUDE=/usr/include \
  -DCMAKE_TOOLCHAIN_FILE="${LOAM_SOURCE:-.}/tests/cmake/aarch64.cmake" $(command -v ninja >/dev/null && echo -G Ninja) || exit 1
target=loam_tests
[ "$1" = instructions ] && target=instructions_tool
cmake --build "$build" --target "$target" --parallel "$(nproc)" || exit 1
if [ "$1" != instructions ]; then  # full sweeps would take hours
  env -u LOAM_TEST_FULL ctest --test-dir "$build" --output-on-failure -j "$(nproc)" || exit 1
fi
bash "${LOAM_SOURCE:-.}/tests/instructions.sh" $LOAM_UPDATE_INSTRUCTIONS aarch64
status=$?
[ $status != 77 ] || exit 0
exit $status
