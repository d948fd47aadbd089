#!/usr/bin/env bash
# Each instruction set's object exports exactly one symbol and no weak one: an inline function compiled with AVX-512
# flags would otherwise be the one that the linker picks for everybody. libloam.so exports loam_* alone.
build=${LOAM_BUILD:-build}
bad=0
exported() { nm --defined-only --extern-only "$1"; }

check_object() {
  local strong weak
  strong=$(exported "$1" | grep -cE ' [A-TX-Z] ')
  weak=$(exported "$1" | grep -E ' [WVuvw] ')
  [ "$strong" = 1 ] && [ -z "$weak" ] && return
  echo "$1: $strong exported symbols (1 expected), weak ones: ${weak:-none}"
  exported "$1" | c++filt | head -n 20
  return 1
}

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
echo 'inline int leak() { static int n; return ++n; } int table() { return leak(); }' | g++ -O0 -x c++ -c - -o "$planted/a.o"
! check_object "$planted/a.o" >/dev/null || { echo "the check missed a planted weak symbol"; exit 1; }

objects=$(find "$build/CMakeFiles/loam_cpu.dir/backends/cpu/isa" -name 'unit_*.o' 2>/dev/null)
for object in $objects; do check_object "$object" || bad=1; done
count=$(wc -w <<<"$objects")
if [ -e "$build/libloam.so" ]; then
  others=$(nm -D --defined-only "$build/libloam.so" | awk '{print $3}' | sed 's/@.*//' | grep -v '^loam_')
  [ -z "$others" ] || { printf 'libloam.so exports more than loam_*:\n%s\n' "$others"; bad=1; }
  nm -D --defined-only "$build/libloam.so" | grep -q ' T loam_' || { echo "libloam.so exports no loam_ function"; bad=1; }
fi
[ "$bad" = 0 ] || exit 1
[ "$count" -gt 0 ] || { echo "SKIPPED: no instruction set's object was built"; exit 77; }
echo "$count objects export one symbol each"
