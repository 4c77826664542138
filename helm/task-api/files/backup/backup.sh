#!/usr/bin/env bash
# Writes one dump of the database into /backups and keeps the newest $KEEP. A file named .dump is complete: it was read back
# before it got that name.
set -euo pipefail
umask 077
here=$(dirname "${BASH_SOURCE[0]}")
credentials=/run/secrets/backup
export PGSERVICEFILE=/tmp/pg_service.conf PGSERVICE=task-api

log() { printf '%(%F %T)T UTC %s\n' -1 "$*"; }

# No password is on a command line or in the environment.
write_service() { # HOST
  if [[ -e $credentials/url ]]; then
    perl "$here/service.pl" <"$credentials/url" >"$PGSERVICEFILE"
  else
    printf '[%s]\nhost=%s\nport=5432\ndbname=task_api\nuser=task_api\npassword=%s\n' "$PGSERVICE" "$1" \
      "$(<"$credentials/password")" >"$PGSERVICEFILE"
  fi
  printf 'connect_timeout=10\nkeepalives_idle=10\nkeepalives_interval=10\nkeepalives_count=3\ntcp_user_timeout=60000\n' >>"$PGSERVICEFILE"
}

# What the processes of the API tell each other at run time belongs to this database alone.
dump() {
  pg_dump --format=custom --no-password --lock-wait-timeout=60s --exclude-table-data=platform.leases \
    --exclude-table-data=platform.timelines --file="$1"
}

file=/backups/task-api-$(date -u +%Y%m%dT%H%M%SZ).dump
rm -f /backups/*.partial # of a run that was cut off; no two run at once
is_dumped=
for host in $HOSTS; do
  log "Dumping from $host."
  write_service "$host"
  if dump "$file.partial"; then
    is_dumped=yes
    break
  fi
done
[[ $is_dumped ]] || { log "No server could be dumped."; exit 1; }

# --list alone would miss a file that is cut off: this reads and unpacks all of it.
pg_restore --list "$file.partial" >/dev/null
pg_restore --file=/dev/null "$file.partial"
sync "$file.partial"
mv "$file.partial" "$file"
sync /backups
log "Wrote $file, $(stat -c %s "$file") bytes."

mapfile -t dumps < <(printf '%s\n' /backups/task-api-*.dump | sort -r)
for old in "${dumps[@]:KEEP}"; do
  rm -f "$old"
  log "Removed $old."
done
