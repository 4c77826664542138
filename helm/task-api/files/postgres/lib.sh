# shellcheck shell=bash disable=SC2034
# What primary.sh and replica.sh share. PGDATA only ever appears complete: it is made as $PGDATA.new and then renamed.

credentials=/run/secrets/postgres
runbook=docs/runbooks/rebuild-primary.md
busy=/tmp/busy # while it stands, this script and not Postgres is at work: live.sh asks nothing then
server=        # process id of Postgres
child=         # process id of what is waited for
stopping=

log() { printf '%(%F %T)T UTC [%s] %s\n' -1 "$(basename "$0" .sh)" "$*" >&2; }

# Says a thing once, until another one is said.
log_once() {
  [[ ${said:-} == "$*" ]] || log "$*"
  said=$*
}

# What follows is kept by Kubernetes as the reason why the container ended.
refuse() {
  log "$*"
  [[ ! $server ]] || { kill -INT "$server"; wait "$server" || true; }
  exit 1
}

# Bash is process 1: a signal without a handler would be ignored. SIGINT is Postgres' fast shutdown.
on_stop() {
  stopping=yes
  [[ ! $server ]] || kill -INT "$server" 2>/dev/null || true
  [[ ! $child ]] || kill -TERM "$child" 2>/dev/null || true
}
trap on_stop TERM INT
trap 'rm -f "$busy"' EXIT

alive() { kill -0 "$1" 2>/dev/null; }

# Runs a command so that a signal to stop ends it at once.
run() {
  local status
  "$@" &
  child=$!
  while :; do
    status=0
    wait "$child" || status=$?
    alive "$child" || break
  done
  child=
  [[ ! $stopping ]] || exit 0
  return "$status"
}

pause() { run sleep "$1"; }

# One server at a time on a volume: after a forced deletion the pod before may still be writing. Postgres' own lock does not
# see processes of other containers. It is held by all processes that are started from here.
take_volume() {
  touch "$busy"
  exec 9>"$(dirname "$PGDATA")/lock"
  flock -n 9 || { log "Waiting for the volume: another pod uses it."; run flock 9; }
  recover_rename
}

has_data() { [[ -s $PGDATA/PG_VERSION ]]; }

# Puts $PGDATA.new in the place of PGDATA. What a crash leaves in between is put right by recover_rename.
put_in_place() {
  [[ ! -e $PGDATA ]] || mv "$PGDATA" "$PGDATA.old"
  mv "$PGDATA.new" "$PGDATA"
  sync "$(dirname "$PGDATA")"
  rm -rf "$PGDATA.old"
}

recover_rename() {
  [[ -e $PGDATA || ! -e $PGDATA.old ]] || mv "$PGDATA.old" "$PGDATA"
  rm -rf "$PGDATA.new" "$PGDATA.old"
}

# Starts Postgres with what is given besides.
start_server() {
  [[ ! $stopping ]] || exit 0
  rm -f "$busy"
  postgres -D "$PGDATA" -c hba_file=/etc/postgres/pg_hba.conf "$@" &
  server=$!
}

# Leaves with the status of Postgres.
leave_with_server() {
  local status=0
  while alive "$server"; do
    [[ ! $stopping ]] || kill -INT "$server" 2>/dev/null || true # the signal may have come before Postgres was there
    status=0
    wait "$server" || status=$?
  done
  exit "$status"
}
