#!/usr/bin/env bash
# Makes sure that a command is there: from Debian's packages, where it is not.
#
#   setup/command.sh COMMAND PACKAGE...

set -euo pipefail
cd "$(dirname "$0")/.."
. setup/messages.sh
. setup/debian.sh

require_command "$@"
