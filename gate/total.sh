#!/usr/bin/env bash
# Says how many tests each ring of the gate ran, and the sum on the last line.
#
#   gate/total.sh FOLDER NAME...   the rings, in the order in which they are to be named

set -euo pipefail

folder=$1
shift

echo
for name in "$@"; do
    cat "$folder/$name.count"
done | awk '
    { printf "%-12s %4d passed, %d failed\n", $1, $2, $3; passed += $2; failed += $3 }
    END { printf "\n%d passed, %d failed\n", passed, failed }
'
