#!/usr/bin/env bash
# Gives the roles the passwords of the Secret, over the socket. Harmless at any time; --wait waits for the server.
set -euo pipefail
credentials=${CREDENTIALS_DIR:-/run/secrets/postgres}

# Read by psql itself: no password is on a command line, in the environment or in the log. Replicas are not waited for:
# they may need the new password to come back.
apply() {
  PGOPTIONS='-c synchronous_commit=local -c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1' \
    psql -XqU postgres -d postgres -v ON_ERROR_STOP=1 -v dir="$credentials" <<'SQL'
\set superuser `cat "$CREDENTIALS_DIR/postgres-superuser-password"`
\set owner `cat "$CREDENTIALS_DIR/postgres-password"`
\set replicator `cat "$CREDENTIALS_DIR/postgres-replication-password"`
BEGIN;
ALTER ROLE postgres PASSWORD :'superuser';
ALTER ROLE task_api PASSWORD :'owner';
ALTER ROLE replicator PASSWORD :'replicator';
COMMIT;
SQL
}

export CREDENTIALS_DIR=$credentials
if [[ ${1:-} == --wait ]]; then
  until pg_isready -q -U postgres; do sleep 1; done
  until apply; do sleep 5; done
else
  apply
fi
echo "The passwords of the roles are those of the Secret." >&2
