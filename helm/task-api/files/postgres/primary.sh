#!/usr/bin/env bash
# Runs the primary. A volume without data is only initialised when no replica holds data: else it was lost, and a new
# database would hide that.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

# Prints what a replica says: data (Postgres is there, ready or not), empty (respond.pl is there), absent (no address),
# silent (an address without an answer: wait for it).
ask_replica() {
  local host=$1 status=0 word=
  getent ahosts "$host" >/dev/null || { echo absent; return; }
  pg_isready -q -h "$host" -U task_api -d task_api -t 3 || status=$?
  ((status > 1)) || { echo data; return; }
  # shellcheck disable=SC2016 # $0 belongs to the inner shell
  word=$(timeout 5 bash -c 'read -r word <"/dev/tcp/$0/5432" && echo "$word"' "$host" 2>/dev/null) || true
  if [[ $word == empty ]]; then echo empty; else echo silent; fi
}

# Returns when no replica holds data. A name without an address counts as not there after a minute in which DNS knew the
# replicas' Service: a cluster may have no room for the pod.
require_empty_replicas() {
  local -A absent_since=()
  local pending host waiting
  read -ra pending <<<"$REPLICAS"
  while ((${#pending[@]})); do
    waiting=()
    getent ahosts "$REPLICA_SERVICE" >/dev/null || absent_since=()
    for host in "${pending[@]}"; do
      case $(ask_replica "$host") in
        empty) continue ;;
        data)
          refuse "The volume is empty, but the replica $host holds data: this is no first start, so nothing is" \
            "initialised. Put the volume back, or follow $runbook."
          ;;
        absent)
          : "${absent_since[$host]:=$SECONDS}"
          if ((SECONDS - absent_since[$host] > 60)); then
            log "There is no $host."
            continue
          fi
          ;;
        silent) unset "absent_since[$host]" ;;
      esac
      waiting+=("$host")
    done
    pending=("${waiting[@]}")
    ((${#pending[@]} == 0)) || {
      log_once "The volume is empty. Waiting for ${pending[*]} to tell whether it holds data."
      pause 2
    }
  done
}

initialise() {
  log "Making a new database."
  run initdb --pgdata "$PGDATA.new" --username postgres --data-checksums --encoding UTF8 --locale C.UTF-8 \
    --auth-local peer --auth-host scram-sha-256 >/dev/null
  postgres -D "$PGDATA.new" -c listen_addresses= -c unix_socket_directories=/var/run/postgresql &
  server=$!
  until pg_isready -q -U postgres; do
    alive "$server" || refuse "Postgres did not start."
    pause 0.2
  done
  psql -XqU postgres -d postgres -v ON_ERROR_STOP=1 -f "$here/roles.sql"
  "$here/set-passwords.sh"
  kill -INT "$server"
  wait "$server"
  server=
  put_in_place
}

# A replica that is no more, since `replicas` was lowered, leaves its slot behind: it would hold back WAL, and by
# hot_standby_feedback dead rows, for as long as it stands. One that is in use is waited for.
drop_old_slots() {
  local host prefix=${HOSTNAME%-primary-*}-replica- slots='' left=''
  for host in $REPLICAS; do slots+=" ${host%%.*}"; done
  local old="slot_type = 'physical' AND starts_with(slot_name, '${prefix//-/_}')
    AND slot_name <> ALL (string_to_array('${slots//-/_}', ' '))"
  until [[ $left == 0 ]]; do
    sleep 2
    left=$(psql -XAtqU postgres -d postgres 2>/dev/null \
      -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND $old" \
      -c "SELECT count(*) FROM pg_replication_slots WHERE $old" | tail -1) || true
  done
}

take_volume
if [[ ${MAINTENANCE:-} ]]; then
  log "Maintenance: the volume is held, and nothing is started."
  while :; do pause 3600; done
fi
if ! has_data; then
  require_empty_replicas
  initialise
fi
[[ ! -e $PGDATA/standby.signal ]] || refuse "The volume holds a copy that was not promoted: finish $runbook."

start_server -c config_file=/etc/postgres/primary.conf
"$here/set-passwords.sh" --wait &
drop_old_slots &
leave_with_server
