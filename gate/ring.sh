#!/usr/bin/env bash
# Runs one ring of the gate and keeps its count, which gate/total.sh adds up.
#
#   gate/ring.sh FOLDER tests NAME COMMAND...   the command runs tests: its "test result" lines are counted
#   gate/ring.sh FOLDER check NAME COMMAND...   the command as a whole is one check
#
# A ring of tests that ran no test has failed: a filter that matches nothing must not look like success.

set -euo pipefail

folder=$1
kind=$2
name=$3
shift 3
log=$folder/$name.log

mkdir -p "$folder"
status=0
"$@" 2>&1 | tee "$log" || status=$?

if [ "$kind" = tests ]; then
    read -r passed failed < <(awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
else
    passed=1 failed=0
fi

if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
    [ "$kind" = tests ] || passed=0
elif [ "$((passed + failed))" -eq 0 ]; then
    echo "$name ran no test" >&2
    failed=1
fi

echo "$name $passed $failed" >"$folder/$name.count"
[ "$failed" -eq 0 ] && exit
printf '\nFAILED: %s (%d passed, %d failed); its output is in %s\n' "$name" "$passed" "$failed" "$log" >&2
exit 1
