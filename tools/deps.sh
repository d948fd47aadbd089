#!/bin/sh
# deps.sh build|test [STAMP]: installs the Debian packages that are missing to build Loam, or to test it as well.
# Touches STAMP when all are there. Everything it says goes to standard error.
set -eu
packages="g++ cmake ninja-build libxxhash-dev nlohmann-json3-dev libonig-dev libutf8proc-dev libedit-dev python3 python3-pip"
if [ "${1:-test}" = test ]; then
  packages="$packages git doctest-dev python3-venv clang libclang-rt-14-dev libomp-dev g++-aarch64-linux-gnu qemu-user"
fi
exec </dev/null >&2
if command -v dpkg >/dev/null && command -v apt-get >/dev/null; then
  missing=
  for package in $packages; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
    *" installed") ;;
    *) missing="$missing $package" ;;
    esac
  done
  if [ -n "$missing" ]; then
    install="apt-get install -y -q --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then
      as_root=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root="sudo -n"
    else
      echo "Missing packages. Please run: sudo apt-get update && sudo $install"
      exit 1
    fi
    echo "Installing:$missing"
    log=$(mktemp)
    if ! { DEBIAN_FRONTEND=noninteractive $as_root apt-get update -q && DEBIAN_FRONTEND=noninteractive $as_root $install; } >"$log" 2>&1; then
      tail -n 20 "$log"
      rm -f "$log"
      echo "Could not install the packages; the command was: $install"
      exit 1
    fi
    rm -f "$log"
  fi
else
  echo "Not a Debian system: please install the equivalents of: $packages"
fi
if [ -n "${2:-}" ]; then
  mkdir -p "$(dirname "$2")"
  touch "$2"
fi
