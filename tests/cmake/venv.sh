#!/usr/bin/env bash
# venv.sh FOLDER: makes the Python environment of the oracle tests, once per version of tests/requirements.txt.
requirements=$(dirname "$0")/../requirements.txt
cmp -s "$requirements" "$1/.complete" && exit 0
rm -rf "$1"
python3 -m venv "$1" &&
  "$1/bin/python3" -m pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary :all: -r "$requirements" &&
  cp "$requirements" "$1/.complete"
