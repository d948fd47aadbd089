#!/usr/bin/env bash
# The program from outside: help, exit codes, one clear line for what is wrong.
loam=${LOAM_BUILD:-build}/loam
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
expect() {  # expect CODE 'TEXT ON STDERR (pattern)' WORDS...
  local code=$1 text=$2 out err status
  shift 2
  out=$("$loam" "$@" 2>"$work/err" </dev/null)
  status=$? err=$(cat "$work/err")
  [ "$status" = "$code" ] && [[ $err == $text ]] && { [ "$code" = 0 ] || { [ -z "$out" ] && [ "$(wc -l <"$work/err")" = 1 ]; }; } && return
  printf 'loam %s\n  exit code %s (expected %s)\n  stdout: %s\n  stderr: %s\n  expected: %s\n' "$*" "$status" "$code" "$out" "$err" "$text"
  bad=1
}
expect 0 '' --version
expect 0 '' --help
for command in chat complete convert inspect verify tokenize template bench; do
  expect 0 '' $command --help
  expect 0 '' $command -h
  expect 2 "loam $command: unknown flag '--hlep'; did you mean '--help'?*" $command --hlep
done
"$loam" verify --help | grep -q -- '--help  this text$' || { echo "the help of a command without options"; bad=1; }
expect 2 "loam: unknown command 'caht'; did you mean 'chat'?*" caht
expect 2 "loam: unknown flag '--verzion'*" --verzion
expect 2 "loam chat: flag '--temp' expects a number, not 'hot'*" chat --temp hot x.loam
expect 2 "loam complete: there is no sampler 'topq'; known are penalties,*; did you mean 'top_k'?*" complete --samplers 'min_p;topq' x.loam
expect 2 "loam complete: the sampler 'top_k' is named twice*" complete --samplers 'top-k;top_k' x.loam
expect 2 "loam complete: flag '--logit-bias' expects a token's number, a sign and a number*" complete -l 7 x.loam
expect 2 "loam chat: flag '--stop' expects a text that is not empty*" chat --stop '' x.loam
expect 2 "loam chat: flag '--mirostat': 3 is out of range*" chat --mirostat 3 x.loam
expect 2 "loam chat: unexpected argument 'b'*" chat a b
expect 2 "loam chat: unexpected argument 'b'*" chat -m a b
expect 2 "loam tokenize: give one of --ids, --pieces, --count and --decode*" tokenize --ids --count x.loam
expect 1 "loam tokenize: nowhere.gguf: cannot open it*" tokenize nowhere.gguf
expect 1 "loam bench: *.json: cannot read it: No such file*" bench --compare a.json b.json
expect 2 "loam verify: too few arguments*" verify
"$loam" >"$work/out" 2>&1; [ $? = 2 ] && grep -q '^usage: loam' "$work/out" || { echo "loam without a command"; bad=1; }
timeout -s INT --preserve-status 1 "$loam" bench --synthetic tiny -t 1 -p 0 -n 9999999 >"$work/out" 2>"$work/err"
[ $? = 130 ] && [ "$(cat "$work/err")" = 'loam bench: interrupted' ] || { echo "bench does not end cleanly at Ctrl-C"; bad=1; }
(ulimit -f 1; "$loam" chat --help >"$work/limited" 2>/dev/null); [ $? = 1 ] || { echo "a limit on file sizes ends the program"; bad=1; }
"$loam" --help >/dev/full 2>/dev/null; [ $? = 1 ] || { echo "a full disk behind standard output goes unnoticed"; bad=1; }
[ $bad = 0 ] && echo "as it should be"
exit $bad
