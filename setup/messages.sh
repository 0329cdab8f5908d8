# shellcheck shell=bash
# How the set-up speaks: one line for what it does, one paragraph for what is missing and what to do about it.

say() {
    printf '==> %s\n' "$1" >&2
}

# fail LINE...: says what is missing and what to do, one argument a line, and ends the set-up.
fail() {
    printf '\nset-up failed: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
    exit 1
}
