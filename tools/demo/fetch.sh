#!/bin/sh
# fetch.sh NAME|PATH: prints the path of a demo model's file, downloading it into the cache where it is not there yet.
# A path is printed as it is. Standard output holds nothing else.
# fetch.sh --present COMMAND...: runs COMMAND with the paths of all demo models that are in the cache, or of the default
# one, fetched, where none is.
set -eu
here=$(dirname "$0")
if [ "${1:-}" = --present ]; then
  shift
  words=$#
  while IFS='	' read -r row _; do
    case $row in '#'* | '') continue ;; esac
    if path=$(LOAM_DEMO_PRESENT=1 sh "$0" "$row" 2>/dev/null); then set -- "$@" "$path"; fi
  done <"${LOAM_DEMO_TABLE:-$here/models.tsv}"
  if [ $# = "$words" ]; then path=$(sh "$0") && set -- "$@" "$path"; fi
  exec "$@"
fi
name=${1:-smollm2-135m}
case $name in */* | *.gguf | *.loam)
  [ -e "$name" ] || { echo "no model at '$name'" >&2; exit 1; }
  printf '%s\n' "$name"
  exit ;;
esac
if [ -n "${LOAM_CACHE:-}" ]; then cache=$LOAM_CACHE; elif [ -n "${XDG_CACHE_HOME:-}" ]; then cache=$XDG_CACHE_HOME/loam; else cache=${HOME:?}/.cache/loam; fi
# The usual case without Python: the file is there under its final name, which it gets only when its hash was right.
names=
while IFS='	' read -r row file bytes _; do
  case $row in '#'*) continue ;; esac
  names="$names $row"
  if [ "$row" = "$name" ]; then
    path=$cache/models/$file
    if [ -f "$path" ] && [ "$(stat -c %s "$path")" = "$bytes" ]; then
      printf '%s\n' "$path"
      exit 0
    fi
    [ -z "${LOAM_DEMO_PRESENT:-}" ] || exit 1
    exec python3 "$here/fetch.py" "${LOAM_DEMO_TABLE:-$here/models.tsv}" "$name" "$cache/models" </dev/null
  fi
done <"${LOAM_DEMO_TABLE:-$here/models.tsv}"
echo "unknown model '$name'; known are:$names (or give the path of a .loam or .gguf file)" >&2
exit 1
