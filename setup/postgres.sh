#!/usr/bin/env bash
# Makes sure that PostgreSQL's programs are there: from Debian's packages, where they are not.
#
#   setup/postgres.sh LINK   the link is made to the folder that they are in, which Debian has outside of PATH

set -euo pipefail
cd "$(dirname "$0")/.."
. setup/messages.sh
. setup/debian.sh

link=$1
log=target/setup/apt-postgresql.log

main() {
    local folder
    folder=$(find_folder) || {
        say "installing PostgreSQL (Debian: postgresql)"
        install_debian_packages "$log" postgresql
        folder=$(find_folder)
    } || fail "PostgreSQL's programs are missing" \
        "install them, on Debian with: apt-get update && apt-get install postgresql" \
        "the log of what was tried, if anything could be, is $log"
    mkdir -p "$(dirname "$link")"
    ln -sfn "$folder" "$link"
}

# The newest version's, if there are several.
find_folder() {
    local program
    program=$(command -v initdb || printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [ -x "$program" ] && dirname "$(readlink -f "$program")"
}

main
