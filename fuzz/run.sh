#!/usr/bin/env bash
# Builds and runs the fuzz targets, with libFuzzer and a stable Rust.
#
#   fuzz/run.sh build                     compiles every target
#   fuzz/run.sh smoke RUNS TARGET...      the same RUNS inputs on every machine, from the committed seeds
#   fuzz/run.sh hunt SECONDS TARGET...    new inputs for so long; what it learns is kept in fuzz/corpus for the next time
#
# An input that breaks a promise ends it with status 1, and is kept in fuzz/artifacts. CARGO_TARGET_DIR must be set: the
# programs are built in its folder `fuzz`, apart from other builds, which have other flags.

set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
folder=$CARGO_TARGET_DIR/fuzz
programs=$folder/$host/fuzz

# What cargo-fuzz passes, but for its sanitizers: those need a nightly Rust, and find nothing where there is no `unsafe`.
flags=(
    --cfg fuzzing
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    -Ccodegen-units=1
)

# An input that takes longer, in seconds, or more memory, in MB, is a finding too. No input grows longer than so many bytes.
limits=(-timeout=10 -rss_limit_mb=1024 -max_len=8192)

build() {
    # With --target the flags are for the targets alone, not for what runs while we compile.
    RUSTFLAGS="${flags[*]}" CARGO_TARGET_DIR=$folder \
        cargo build --locked --profile fuzz --target "$host" -p hallpass-fuzz --bins
}

# fuzz TARGET LOG ARGUMENT...: runs one target, shows where it stands now and then, and what came of it.
fuzz() {
    local target=$1 log=$2 status=0
    shift 2
    mkdir -p "fuzz/artifacts/$target" "$(dirname "$log")"
    "$programs/$target" "${limits[@]}" -dict=fuzz/words.dict -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" \
        "$@" 2>&1 | tee "$log" | grep --line-buffered -E '^#[0-9]+[[:space:]]+(INITED|pulse|DONE)' || status=${PIPESTATUS[0]}
    [ "$status" -eq 0 ] && ended "$log" && return
    local input
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
    sed -n '/panicked at\|ERROR: libFuzzer/,$p' "$log" | grep -v '^0x'
    echo "test result: FAILED. 0 passed; 1 failed; target $target"
    echo "replay it with: cargo run -p hallpass-fuzz --bin $target -- ${input:-INPUT}"
    return 1
}

ended() { grep -q '^#[0-9]*[[:space:]]*DONE' "$1"; }

summary() {
    local target=$1 log=$2
    printf '%-14s %10d executions, coverage %5d, %5d inputs kept\n' "$target" \
        "$(statistic number_of_executed_units "$log")" "$(progress cov "$log")" "$(progress corp "$log")"
}

statistic() { sed -n "s/^stat::$1: *//p" "$2" | tail -1; }
progress() { sed -n "s/^#.*DONE.* $1: \([0-9]*\).*/\1/p" "$2" | tail -1; }

smoke() {
    local runs=$1 failed=0 target log kept
    shift
    for target in "$@"; do
        printf '\n%s: %d inputs\n' "$target" "$runs"
        log=$folder/smoke/$target.log
        kept=$folder/smoke/$target
        rm -rf "$kept"
        mkdir -p "$kept"
        if fuzz "$target" "$log" -seed=1 -runs="$runs" "$kept" "fuzz/seeds/$target"; then
            summary "$target" "$log"
            echo "test result: ok. 1 passed; 0 failed; target $target"
        else
            failed=1
        fi
    done
    return "$failed"
}

hunt() {
    local seconds=$1 failed=0 target log
    shift
    for target in "$@"; do
        printf '\n%s: %d seconds\n' "$target" "$seconds"
        mkdir -p "fuzz/corpus/$target"
        fuzz "$target" "$folder/hunt/$target.log" -max_total_time="$seconds" "fuzz/corpus/$target" "fuzz/seeds/$target" || failed=1
    done
    echo
    for target in "$@"; do
        log=$folder/hunt/$target.log
        if ended "$log"; then summary "$target" "$log"; else printf '%-14s found something, see above\n' "$target"; fi
    done
    return "$failed"
}

case ${1:-} in
    build | smoke | hunt) "$@" ;;
    *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2 && exit 1 ;;
esac
