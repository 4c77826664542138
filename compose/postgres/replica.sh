#!/bin/sh
# A streaming replica: clones the primary if it has no data, or if the primary no longer has the WAL to continue; then runs
# Postgres. It is never promoted.
#
#   PGDATA, PGPORT, POSTGRES_SECRETS, SOCKET_DIR   as in primary.sh
#   PRIMARY_HOST, PRIMARY_PORT                     where the primary is (postgres-primary, 5432)
#   SLOT                                           name of its slot (replica)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
secrets=${POSTGRES_SECRETS:-/run/task-api/postgres}
socket=${SOCKET_DIR:-/var/run/postgresql}
slot=${SLOT:-replica}
export PGPORT="${PGPORT:-5432}"

# libpq reads passwords only from a file that nobody else can read.
passfile=$(mktemp)
printf '*:*:*:replicator:%s\n' "$(cat "$secrets/replication-password")" >"$passfile"
primary="host=${PRIMARY_HOST:-postgres-primary} port=${PRIMARY_PORT:-5432} user=replicator passfile=$passfile"
primary="$primary application_name=$slot connect_timeout=5 keepalives_idle=10 keepalives_interval=5 keepalives_count=3"

say() { echo "replica: $1" >&2; }

# Uses the replication protocol, because the role may not connect to a database.
ask() {
  timeout 70 psql --no-psqlrc --quiet --tuples-only --no-align --dbname="$primary replication=true" --command="$1"
}

system_here() { LC_ALL=C pg_controldata "$PGDATA" | sed -n 's/^Database system identifier: *//p'; }


clone() {
  say 'cloning the primary'
  rm -rf "$PGDATA.new"
  ask "DROP_REPLICATION_SLOT $slot WAIT" 2>/dev/null || true
  pg_basebackup --dbname="$primary" --pgdata="$PGDATA.new" --wal-method=stream --checkpoint=fast \
    --create-slot --slot="$slot"
  touch "$PGDATA.new/standby.signal"
  rm -rf "$PGDATA"
  mv "$PGDATA.new" "$PGDATA"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  until ask IDENTIFY_SYSTEM >/dev/null; do
    say 'waits for the primary'
    sleep 1
  done
  clone
elif system=$(ask IDENTIFY_SYSTEM | cut -d'|' -f1) && [ -n "$system" ]; then
  if [ "$system" != "$(system_here)" ]; then
    say 'the primary is another cluster than the one that this is a copy of; nothing was done.'
    say 'If the data here is not needed, remove the volume, and it is cloned anew.'
    exit 1
  fi
  state=$(ask "READ_REPLICATION_SLOT $slot")
  case $state in
    # The slot keeps all WAL that this replica lacks; a slot without a position has lost some of it.
    physical\|[0-9A-F]*) ;;
    *) clone ;;
  esac
else
  say 'the primary does not answer: goes on with the data that it has'
fi

exec postgres -D "$PGDATA" -c config_file="$here/postgresql.conf" -c hba_file="$here/pg_hba.conf" \
  -c unix_socket_directories="$socket" -c primary_conninfo="$primary" -c primary_slot_name="$slot"
