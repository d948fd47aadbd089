#!/usr/bin/env bash
# No file of the repository may name a package registry's or model hub's host, or a path of somebody's home.
cd "$(dirname "$0")/.." || exit 1
pattern='pypi''\.org|python''hosted|hugging''face\.co|deb''ian\.org/debian|hf''-mirror|(^|[^[:alnum:]_$}~])/(ho''me|ro''ot|Us''ers)/[[:alnum:]]'
check() { find "$1" -path "$1/.git" -prune -o -path "$1/build*" -prune -o -type f -print0 | xargs -0 grep -nIE "$pattern"; }

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
echo "open /ho""me/me/model" >"$planted/a"
echo "get py""pi.org" >"$planted/b"
echo "usr/share/homework ~/.cache" >"$planted/c"
[ "$(check "$planted" | wc -l)" = 2 ] || { echo "the check missed a planted name"; exit 1; }

! check . || { echo "The files above name a host or a home folder"; exit 1; }
echo "no host and no home folder is named"
