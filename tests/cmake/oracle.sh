#!/usr/bin/env bash
# oracle.sh SCRIPT: runs a Python test with the environment that `make test` has made, or says loudly that it cannot.
python=$LOAM_BUILD/venv/bin/python3
if [ ! -e "$LOAM_BUILD/venv/.complete" ]; then
  echo "SKIPPED: $(basename "$1") needs the Python packages of tests/requirements.txt in $LOAM_BUILD/venv (make test installs them)"
  exit 77
fi
exec "$python" "$@"
