#!/bin/sh
# The primary: initialises its data folder if it is empty, then runs Postgres. It promotes nothing and overwrites nothing.
#
#   PGDATA             the data folder, inside a writable folder
#   PGPORT             5432 by default
#   POSTGRES_SECRETS   folder of the passwords (/run/task-api/postgres)
#   REPLICA_PGDATA     the replica's data folder, if this machine has it
#   SOCKET_DIR         /var/run/postgresql by default
set -eu

here=$(cd "$(dirname "$0")" && pwd)
secrets=${POSTGRES_SECRETS:-/run/task-api/postgres}
socket=${SOCKET_DIR:-/var/run/postgresql}
export PGPORT="${PGPORT:-5432}"

# Created under another name, then renamed: an interruption leaves no incomplete data folder.
initialise() {
  new="$PGDATA.new"
  rm -rf "$new"
  initdb --pgdata="$new" --username=postgres --pwfile="$secrets/superuser-password" --data-checksums \
    --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  # During the initialisation it listens only on a separate socket.
  private=$(mktemp -d)
  pg_ctl start --silent --wait --pgdata="$new" --log="$new.log" \
    --options="-c listen_addresses= -c unix_socket_directories=$private -c shared_buffers=16MB"
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host="$private" --username=postgres --dbname=postgres <<SQL
\set task_api \`cat '$secrets/task-api-password'\`
\set replicator \`cat '$secrets/replication-password'\`
CREATE ROLE task_api LOGIN PASSWORD :'task_api';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replicator';
CREATE DATABASE task_api OWNER task_api;
SQL
  pg_ctl stop --silent --wait --mode=fast --pgdata="$new"
  rm -rf "$private" "$new.log"
  mv "$new" "$PGDATA"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -n "${REPLICA_PGDATA:-}" ] && [ -s "$REPLICA_PGDATA/PG_VERSION" ]; then
    echo "The primary's volume is empty, and the replica's is not: it may hold the only copy of the data." >&2
    echo "Nothing was done. Restore the primary from the replica, or remove the replica's volume as well." >&2
    exit 1
  fi
  initialise
fi

exec postgres -D "$PGDATA" -c config_file="$here/postgresql.conf" -c hba_file="$here/pg_hba.conf" \
  -c unix_socket_directories="$socket"
