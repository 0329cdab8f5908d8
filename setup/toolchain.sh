#!/usr/bin/env bash
# Finds the Rust toolchain that rust-toolchain.toml asks for, installs it where it is missing, and writes down,
# as a file for make, how to use it.
#
#   setup/toolchain.sh FILE [auto|rustup|debian]
#
# Two toolchains will do:
#   rustup   has the wasm32 standard library ready made;
#   debian   comes without it, so cargo builds it from Debian's packaged source (an unstable flag of cargo's, hence
#            RUSTC_BOOTSTRAP). For machines that cannot reach Rust's own servers.
# `auto` takes the one that is there; if neither is, it installs the first that can be installed. The choice is kept in
# FILE, and made again only when the toolchain it names is gone or another one is asked for.

set -euo pipefail
cd "$(dirname "$0")/.."
. setup/messages.sh
. setup/debian.sh

file=$1
wanted=${2:-auto}

channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
target=wasm32-unknown-unknown
cargo_home_bin=${CARGO_HOME:-$HOME/.cargo}/bin
rustup_seconds=180
rustup_log=target/setup/rustup.log
debian_packages=(rustc-web cargo-web rust-web-src libstd-rust-web-dev rust-web-clippy rustfmt-web lld-22)
debian_linker=/usr/bin/wasm-ld-22
debian_log=target/setup/apt-rust.log

main() {
    PATH=$PATH:$cargo_home_bin # where rustup is, even if the shell has not been told
    is_settled && exit
    mkdir -p target/setup
    require_command cc gcc libc6-dev
    case $wanted in
        auto) rustup_is_ready || debian_is_ready || install_by_rustup || install_by_debian || give_up ;;
        rustup) rustup_is_ready || install_by_rustup || give_up ;;
        debian) debian_is_ready || install_by_debian || give_up ;;
        *) fail "there is no toolchain '$wanted'" "choose auto, rustup or debian" ;;
    esac
}

# Whether FILE holds a choice that still stands: every path that it counts on is there.
is_settled() {
    [ "$file" -nt rust-toolchain.toml ] && [ "$file" -nt setup/toolchain.sh ] || return
    [ "$wanted" = auto ] || grep -qx "# toolchain: $wanted" "$file" || return
    local path
    while read -r path; do
        [ -e "$path" ] || return
    done < <(sed -n 's/^# needs: //p' "$file")
}

rustup_is_ready() {
    local root
    root=$(RUSTUP_AUTO_INSTALL=0 rustup run "$channel" rustc --print sysroot 2>/dev/null) || return
    settle rustup "$root/bin" '' "--target $target" "$root/lib/rustlib/$target"
}

debian_is_ready() {
    [[ $(/usr/bin/rustc --version 2>/dev/null) == "rustc $channel"* ]] || return
    settle debian /usr/bin \
        "RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$debian_linker" \
        "--target $target -Zbuild-std=std,panic_abort" \
        /usr/lib/rustlib/src/rust/library "$debian_linker"
}

# settle NAME BIN_FOLDER WASM_ENVIRONMENT WASM_FLAGS NEEDED_PATH...: keeps the choice in FILE, if all of it is there.
settle() {
    local name=$1 bin=$2 environment=$3 flags=$4
    shift 4
    local needed=("$bin"/{cargo,rustc,rustdoc,cargo-clippy,cargo-fmt} "$@") path
    for path in "${needed[@]}"; do
        [ -e "$path" ] || return
    done
    {
        echo "# Written by setup/toolchain.sh: how to use the chosen Rust toolchain."
        echo "# toolchain: $name"
        printf '# needs: %s\n' "${needed[@]}"
        # Where PATH does not name cargo's own folder, cargo looks for cargo-clippy and the like there first.
        echo "export PATH := $bin:\$(PATH):$cargo_home_bin"
        echo "WASM_ENVIRONMENT := $environment"
        echo "WASM_FLAGS := $flags"
    } >"$file"
    say "Rust $channel: $name's, in $bin"
}

install_by_rustup() {
    command -v rustup >/dev/null || return
    say "installing Rust $channel with rustup (half a minute; given up after $((rustup_seconds / 60)) minutes)"
    timeout --kill-after=5 "$rustup_seconds" \
        rustup toolchain install "$channel" --profile minimal --component clippy,rustfmt --target "$target" \
        --no-self-update </dev/null >"$rustup_log" 2>&1 &&
        rustup_is_ready
}

install_by_debian() {
    can_install_debian_packages || return
    say "no Rust $channel from rustup here: installing Debian's packages, which build std for wasm from source (a minute)"
    install_debian_packages "$debian_log" "${debian_packages[@]}" &&
        debian_is_ready
}

give_up() {
    fail "Rust $channel with the target $target is missing, and could not be installed" \
        "install rustup, then: rustup toolchain install $channel --component clippy,rustfmt --target $target" \
        "or, on Debian 12:     apt-get update && apt-get install ${debian_packages[*]}" \
        "the logs of what was tried, if anything could be, are in target/setup/"
}

main
