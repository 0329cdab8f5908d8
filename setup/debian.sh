# shellcheck shell=bash
# Installs Debian packages, as root or through sudo. Needs setup/messages.sh.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_install_debian_packages() {
    command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }
}

# install_debian_packages LOG PACKAGE...: false if that is not possible; what apt said is in the log.
# It never removes a package that someone else installed: such a conflict is for a person to settle.
install_debian_packages() {
    local log=$1
    shift
    can_install_debian_packages || return 1
    mkdir -p "$(dirname "$log")"
    {
        as_root apt-get update &&
            as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get install --yes --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "$@"
    } >"$log" 2>&1
}

# require_command COMMAND PACKAGE...: installs the packages where the command is missing.
require_command() {
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    say "installing $command (Debian: $*)"
    install_debian_packages "target/setup/apt-$command.log" "$@" ||
        fail "the command '$command' is missing" \
            "install it, on Debian with: apt-get update && apt-get install $*" \
            "the log of what was tried, if anything could be, is target/setup/apt-$command.log"
}
