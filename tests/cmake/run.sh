#!/usr/bin/env bash
# run.sh BUILD JOBS MODEL...: builds and runs all tests; at the end, what was skipped, the size of the source, the result.
build=$1 jobs=$2
shift 2
source=$(cd "$(dirname "$0")/../.." && pwd)
skipped=()

cmake -S "$source" -B "$build" >"$build/configure.log" || { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --parallel "$jobs" --target loam_tests || exit 1
bash "$source/tests/cmake/venv.sh" "$build/venv" || skipped+=("the Python oracles: their packages could not be installed")
for model in "$@"; do
  variable=LOAM_TEST_MODEL_$(tr 'a-z' 'A-Z' <<<"$model" | tr -c 'A-Z0-9\n' '_')
  if path=$(sh "$source/tools/demo/fetch.sh" "$model"); then
    export "$variable=$path"
  else
    skipped+=("tests on the model $model: it could not be downloaded")
  fi
done

ctest --test-dir "$build" --output-on-failure -j "$jobs" | tee "$build/ctest.log"
status=${PIPESTATUS[0]}
while IFS= read -r line; do skipped+=("$line"); done < <(
  sed -nE 's/^.*Test +#[0-9]+: ([^ ]+) \.*\**Skipped.*/test \1/p' "$build/ctest.log"
  grep -haE '^[[:space:]]*(MESSAGE: )?SKIPPED' "$build/Testing/Temporary/LastTest.log" | sort -u
)

echo
if [ ${#skipped[@]} -gt 0 ]; then
  echo "!!! SKIPPED:"
  printf '!!!   %s\n' "${skipped[@]}"
else
  echo "Nothing was skipped."
fi
bash "$source/tests/size.sh"
grep -E '^Total Test time' "$build/ctest.log"
grep -E 'tests passed|No tests were found' "$build/ctest.log"
exit "$status"
