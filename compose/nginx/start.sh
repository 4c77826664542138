#!/bin/sh
# Writes the settings of this installation beside a copy of nginx.conf, then runs NGINX. It needs one writable folder
# and no root rights.
#
#   API_SERVERS     addresses of the API processes, host:port, separated by spaces
#   NGINX_BALANCE   round_robin (default): in turn
#                   least_conn: to the process with the fewest requests in flight
#                   ip_hash: all requests of a client's network (IPv4: /24) to the same process
#   NGINX_LISTEN    port, or address:port (8080)
#   NGINX_RUN       the folder (/tmp/nginx)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
run=${NGINX_RUN:-/tmp/nginx}
: "${API_SERVERS:?names the processes of the API, host:port, separated by blanks}"

case ${NGINX_BALANCE:-round_robin} in
  round_robin) method= ;;
  least_conn | ip_hash) method="$NGINX_BALANCE;" ;;
  *)
    echo "NGINX_BALANCE is round_robin, least_conn or ip_hash, not '$NGINX_BALANCE'." >&2
    exit 64
    ;;
esac

mkdir -p "$run"
cp "$here/nginx.conf" "$run/nginx.conf"
printf 'listen %s default_server;\n' "${NGINX_LISTEN:-8080}" >"$run/listen.conf"
{
  echo "$method"
  # After three errors in 5 s a process gets no requests for 5 s.
  for server in $API_SERVERS; do echo "server $server max_fails=3 fail_timeout=5s;"; done
} >"$run/upstream.conf"

exec nginx -e stderr -p "$run" -c "$run/nginx.conf" -g 'daemon off;'
