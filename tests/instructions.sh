#!/usr/bin/env bash
# instructions.sh [update] [aarch64]: instructions per output of the matrix kernels beside tests/data/instructions.txt,
# within 2 %: regressions that no timer could show on a busy machine. `make instructions` writes the table anew.
# aarch64: what qemu-user traces of the cross build. Counts belong to one version of a compiler; others are skipped.
table=${LOAM_SOURCE:-.}/tests/data/instructions.txt
build=${LOAM_BUILD:-build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "$1" = update ] && { update=1; shift; }
arch=${1:-$(uname -m)}
tool=$build/tests/instructions_tool
if [ "$arch" != "$(uname -m)" ]; then
  emulate="qemu-$arch -cpu max -L /usr/$arch-linux-gnu" tool=$build/$arch/tests/instructions_tool
fi
[ -x "$tool" ] || { echo "SKIPPED: $tool is not built"; exit 77; }


traced() {  # addresses that the emulator executes, cut at the mark's; it loads programs to the same place each time
  $emulate "$tool" mark >"$tmp/marks" && mkfifo "$tmp/trace" || return 1
  $emulate -singlestep -d nochain,exec -D "$tmp/trace" "$tool" mark >/dev/null &
  awk -F/ -v mark="$(awk '/^mark/ { print $2 }' "$tmp/marks")" '
    !/^Trace/ { next }
    $2 == mark { if (counting) print n; counting = !counting; n = 0; next }
    { ++n }' "$tmp/trace" >"$tmp/counts"
  wait
  grep -v '^mark' "$tmp/marks" | paste -d ' ' - "$tmp/counts" | awk 'NF == 6 { printf "%s %s %s %d %.2f\n", $1, $2, $3, $4, $6 / $5 }'
}

compiler=$($emulate "$tool" compiler | tr ' ' '_')
if [ -n "$emulate" ]; then traced; else "$tool" count; fi >"$tmp/lines" || { cat "$tmp/lines"; exit 77; }
[ -s "$tmp/lines" ] || { echo "nothing was counted"; exit 1; }
sed "s/^/$arch $compiler /" "$tmp/lines" >"$tmp/found"

if [ -n "$update" ]; then  # rows of what could not be counted here stay
  awk 'NR == FNR { seen[$1, $2, $3]; next } /^#/ || !(($1, $2, $3) in seen)' "$tmp/found" "$table" >"$tmp/rest"
  { grep '^#' "$tmp/rest"; { grep -v '^#' "$tmp/rest"; cat "$tmp/found"; } | LC_ALL=C sort -k1,6; } >"$table"
  echo "$(wc -l <"$tmp/found") rows of $table are new"
  exit
fi
grep -q "^$arch $compiler " "$table" || { echo "SKIPPED: no counts of $arch $compiler (make instructions)"; exit 77; }

compare() {  # the table, then what was found, with a factor
  awk -v factor="$2" '
    NR == FNR { if (!/^#/) want[$1, $2, $3, $4, $5, $6] = $7; next }
    { key = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4 SUBSEP $5 SUBSEP $6; n = $7 * factor }
    !(key in want) { print $3, $4, $5, $6 ": " n ", not in the table"; bad = 1; next }
    n > 1.02 * want[key] || n < want[key] / 1.02 {
      printf "%s %s %s %s: %.2f instructions per output, the table has %.2f (%+.1f %%)\n", $3, $4, $5, $6, n, want[key],
             100 * (n / want[key] - 1)
      bad = 1
    }
    END { exit bad }' "$table" "$1"
}
! compare "$tmp/found" 1.05 >/dev/null || { echo "the comparison missed 5 % more"; exit 1; }
compare "$tmp/found" 1 || { echo "Intended? Then write the table anew: make instructions"; exit 1; }
echo "$(wc -l <"$tmp/found") counts within 2 % of the table; not counted here:" \
  $(awk -v here="$(cut -d ' ' -f 3 "$tmp/found" | sort -u | tr '\n' ' ')" -v arch="$arch" \
    '!/^#/ && $1 == arch && !index(" " here, " " $3 " ") { print $3 }' "$table" | sort -u)
