#!/usr/bin/env bash
# Builds the program that runs benchmarks under Valgrind, gungraun-runner, into FOLDER/bin. It works only with its own
# version of the library, so that version is read from Cargo.lock.
#
#   setup/gungraun-runner.sh FOLDER

set -euo pipefail
cd "$(dirname "$0")/.."
. setup/messages.sh

folder=$1
runner=$folder/bin/gungraun-runner
version=$(sed -n '/^name = "gungraun"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)

grep -qs "^\"gungraun-runner $version " "$folder/.crates.toml" && [ -x "$runner" ] && touch "$runner" && exit

say "building gungraun-runner $version (2 to 3 minutes, once)"
CARGO_TARGET_DIR=$folder/build cargo install gungraun-runner --version "$version" --locked --root "$folder" ||
    fail "gungraun-runner $version is missing, and cargo could not build it" \
        "see cargo's message above, then try: cargo install gungraun-runner --version $version --locked --root $folder"
rm -rf "$folder/build"
