#!/usr/bin/env bash
# Builds the program that runs wasm tests under Node, wasm-bindgen-test-runner, into FOLDER/bin. It works only with
# its own version of the library, so that version is read from Cargo.lock.
#
#   setup/wasm-test-runner.sh FOLDER

set -euo pipefail
cd "$(dirname "$0")/.."
. setup/messages.sh
. setup/debian.sh

folder=$1
runner=$folder/bin/wasm-bindgen-test-runner
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)

require_command node nodejs
[ "$("$runner" --version 2>/dev/null)" = "wasm-bindgen-test-runner $version" ] && touch "$runner" && exit

say "building wasm-bindgen-test-runner $version (2 to 3 minutes, once)"
CARGO_TARGET_DIR=$folder/build cargo install wasm-bindgen-cli --version "$version" --locked --root "$folder" ||
    fail "wasm-bindgen-test-runner $version is missing, and cargo could not build it" \
        "see cargo's message above, then try: cargo install wasm-bindgen-cli --version $version --locked --root $folder"
rm -rf "$folder/build"
