#!/usr/bin/env bash
# Runs a replica: cloned from the primary when it has no data, or when the primary no longer has the WAL that it needs.
# It never becomes a primary, and data that is not of this primary is kept, not served.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

config=/etc/postgres/postgresql.conf
slot=${HOSTNAME//-/_}
wal_is_gone=/tmp/wal-is-gone # made when Postgres' log says so
export PGPASSFILE=/tmp/pgpass
conninfo="host=$PRIMARY_HOST user=replicator passfile=$PGPASSFILE application_name=$slot connect_timeout=3"
conninfo+=" keepalives_idle=5 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=20000"

# Postgres reads it at each new connection, so a password that was changed needs no restart here.
write_passfile() {
  local password
  password=$(sed 's/[\\:]/\\&/g' "$credentials/postgres-replication-password")
  (umask 077 && printf '*:*:*:replicator:%s\n' "$password" >"$PGPASSFILE.new")
  mv "$PGPASSFILE.new" "$PGPASSFILE"
}

ask_primary() { PGOPTIONS='-c statement_timeout=5s' timeout 15 psql -XAtqw -d "$conninfo dbname=postgres" -c "$1"; }

control() { pg_controldata "$PGDATA" | sed -n "s/^$1: *//p"; }

# Sets what the primary says of itself and of our slot; fails while no primary answers.
look_at_primary() {
  local own=0/0 answer
  ! has_data || own=$(control 'Minimum recovery ending location')
  answer=$(ask_primary "SELECT system_identifier, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
      pg_current_wal_lsn() >= '$own',
      coalesce((SELECT coalesce(wal_status, 'new') FROM pg_replication_slots WHERE slot_name = '$slot'), 'none'),
      (SELECT sum(pg_database_size(oid)) FROM pg_database)
    FROM pg_control_system() WHERE NOT pg_is_in_recovery()" 2>/tmp/primary-says) || return
  IFS='|' read -r system timeline is_ahead slot_status database_bytes <<<"$answer"
  [[ $system ]]
}

make_slot() {
  log "Making the slot $slot on the primary."
  ask_primary "SELECT pg_create_physical_replication_slot('$slot', true)" >/dev/null
}

require_own_primary() {
  ! has_data || [[ $system == "$(control 'Database system identifier')" ]] || refuse "The primary is another database" \
    "(system identifier $system) than the one that this replica holds, which is kept and not served: follow $runbook."
}

is_streaming() { psql -XAtqU postgres -d postgres -c 'SELECT status FROM pg_stat_wal_receiver' 2>/dev/null | grep -qx streaming; }

# The primary is there, is ours, and no longer has the WAL that this replica needs.
must_be_cloned_anew() {
  if is_streaming; then
    said=
    rm -f "$wal_is_gone"
    return 1
  fi
  look_at_primary || {
    log_once "No primary answers at $PRIMARY_HOST: reads go on with what is here. $(head -1 /tmp/primary-says)"
    return 1
  }
  require_own_primary
  [[ $slot_status != none ]] || make_slot || true
  [[ $slot_status == lost || -e $wal_is_gone ]] || return 1
  [[ $is_ahead == t && $((16#$timeline)) == "$(own_timeline)" ]] || {
    log_once "The primary lacks WAL that this replica needs, but one may hold what the other does not: follow $runbook."
    return 1
  }
}

own_timeline() {
  { control "Latest checkpoint's TimeLineID"; control "Min recovery ending loc's timeline"; } | sort -n | tail -1
}

# Old data is kept until the new is complete, where there is room for both.
make_room() {
  local free
  free=$(df --output=avail -B1 "$(dirname "$PGDATA")" | tail -1)
  ((free > database_bytes + database_bytes / 5 + 2 ** 30)) || rm -rf "$PGDATA"
}

copy() {
  rm -rf "$PGDATA.new"
  look_at_primary || {
    log_once "Waiting for the primary at $PRIMARY_HOST. $(head -1 /tmp/primary-says)"
    return 1
  }
  require_own_primary
  [[ $slot_status != lost ]] || { ask_primary "SELECT pg_drop_replication_slot('$slot')" >/dev/null && slot_status=none; }
  [[ $slot_status != none ]] || make_slot || return
  make_room
  log "Cloning the primary ($((database_bytes / 2 ** 20)) MiB)."
  run pg_basebackup -d "$conninfo" -w -D "$PGDATA.new" -X stream -S "$slot" --checkpoint=fast || return
  touch "$PGDATA.new/standby.signal"
  sync "$PGDATA.new"
  put_in_place
  log "Cloned."
}

clone() {
  local responder=
  touch "$busy"
  if ! has_data; then
    perl "$here/respond.pl" empty &
    responder=$!
  fi
  until copy; do
    write_passfile
    pause 3
  done
  [[ ! $responder ]] || { kill "$responder" && wait "$responder" || true; }
}

# Copies the log of Postgres, and notes when it says that WAL is gone.
watch_log() {
  local line
  trap '' TERM INT # it ends with Postgres
  while IFS= read -r line; do
    printf '%s\n' "$line" >&2
    [[ $line != *'requested WAL segment'*'has already been removed'* ]] || : >"$wal_is_gone"
  done
}

# Sets the settings that must not be below what the primary had when it wrote the WAL that is here: Postgres would refuse
# to start after they were lowered.
settings_of_primary() {
  local name had
  settings=()
  for name in max_connections max_worker_processes max_wal_senders max_prepared_transactions max_locks_per_transaction; do
    had=$(control "${name/transaction/xact} setting")
    ((had <= $(postgres -D "$PGDATA" -c "config_file=$config" -C "$name"))) || settings+=(-c "$name=$had")
  done
}

start_replica() {
  touch "$PGDATA/standby.signal" # a replica is never started as anything else
  rm -f "$wal_is_gone"
  settings_of_primary
  start_server -c config_file="$config" "${settings[@]}" -c primary_slot_name="$slot" -c cluster_name="$slot" \
    -c primary_conninfo="$conninfo" 2> >(watch_log)
}

stop_replica() {
  kill -INT "$server"
  wait "$server" || true
  server=
}

take_volume
write_passfile
if ! has_data; then
  clone
elif look_at_primary; then
  require_own_primary
fi
start_replica
while alive "$server" && [[ ! $stopping ]]; do
  sleep 5 &
  child=$!
  wait "$child" || true
  child=
  [[ ! $stopping ]] || break
  write_passfile
  if must_be_cloned_anew; then
    log "The primary no longer has the WAL that this replica needs."
    stop_replica
    clone
    start_replica
  fi
done
leave_with_server
