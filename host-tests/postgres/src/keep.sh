# Runs a PostgreSQL server until the standard input ends, which it does when whoever started this is gone, however it went.
#
#   keep.sh PROGRAMS FOLDER [SETTING=VALUE...]

set -eu
programs=$1
folder=$2
shift 2
cd "$folder"

"$programs/initdb" --pgdata data --username hallpass --auth trust --encoding UTF8 --locale C --no-sync >log 2>&1
{
    echo "listen_addresses = ''"
    echo "unix_socket_directories = '$folder'"
    echo "max_connections = 300"
    echo "shared_buffers = 64MB"
    for setting in "$@"; do
        echo "$setting"
    done
} >>data/postgresql.conf
"$programs/pg_ctl" --pgdata data --log log --wait start >>log 2>&1
echo ready

read -r _ || true
"$programs/pg_ctl" --pgdata data --mode immediate --wait stop >>log 2>&1
cd /
rm -rf "$folder"
