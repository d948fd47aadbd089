#!/usr/bin/env bash
# The arrows between the rooms: tools -> formats, backends -> core. Fails on an #include against them.
# The C API's implementation, core/loam_api*, which ties the rooms together, is the one exception.
check() {  # check ROOT: prints each wrong include
  cd "$1" || return 2
  local core='core' formats='core|formats' backends='core|backends' room allowed
  for room in core formats backends; do
    allowed=${!room}
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<](\.\./)*(core|formats|backends|tools|tests)/' \
      --include='*.h' --include='*.cpp' --include='*.c' --include='*.def' "$room" 2>/dev/null |
      grep -vE "include[[:space:]]*[\"<](\.\./)*($allowed)/" | grep -vE '^core/loam_api[a-z_]*\.(cpp|h):'
  done
  grep -rnE '#[[:space:]]*include[[:space:]]*["<](\.\./)*tests/' --include='*.h' --include='*.cpp' tools 2>/dev/null
  # A backend knows the definitions, never another backend's insides; the reference backend serves as everyone's fallback.
  for room in $(find backends -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null); do
    grep -rnE '#[[:space:]]*include[[:space:]]*"backends/' --include='*.h' --include='*.cpp' "backends/$room" |
      grep -vE "\"backends/($room|reference)/"
  done
}

# The check itself must be able to fail.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
mkdir -p "$planted"/{core,formats,backends/cpu,backends/other,tools}
echo '#include "formats/a.h"' >"$planted/core/wrong.cpp"
echo '#include "backends/cpu/b.h"' >"$planted/core/loam_api.cpp"
echo '#  include <tools/c.h>' >"$planted/formats/wrong.h"
echo '#include "../../formats/d.h"' >"$planted/backends/cpu/wrong.cpp"
echo '#include "backends/cpu/e.h"' >"$planted/backends/other/wrong.cpp"
echo '#include "core/right.h"' >"$planted/backends/cpu/right.cpp"
echo '#include "formats/right.h"' >"$planted/tools/right.cpp"
found=$(check "$planted" | cut -d: -f1 | sort | tr '\n' ' ')
expected='backends/cpu/wrong.cpp backends/other/wrong.cpp core/wrong.cpp formats/wrong.h '
[ "$found" = "$expected" ] || { echo "the check missed a planted include: found [$found], expected [$expected]"; exit 1; }

wrong=$(check "$(dirname "$0")/..")
[ -z "$wrong" ] || { printf 'Includes against the arrows (tools -> formats, backends -> core):\n%s\n' "$wrong"; exit 1; }
echo "all includes follow the arrows"
