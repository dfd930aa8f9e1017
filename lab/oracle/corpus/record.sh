#!/usr/bin/env bash
# Records anew what the ORMs send: each distinct statement in the servers' own logs, as a line of JSON. Runs a PostgreSQL and a MariaDB of its own in a
# directory that goes away, as user postgres; needs root, postgresql, mariadb-server-core, python3-django, python3-sqlalchemy, python3-psycopg2 and
# python3-mysqldb.
set -euo pipefail
cd "$(dirname "$0")"

bin=$(echo /usr/lib/postgresql/*/bin)
work=$(mktemp -d)
pids=()
stop() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap stop EXIT
chmod 755 "$work"
install -d -o postgres "$work/pg" "$work/pgs" "$work/my" "$work/mys"
as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }

as "$bin/initdb" -D "$work/pg" -A trust -U postgres -E UTF8 --locale=C.UTF-8 >/dev/null
as "$bin/postgres" -D "$work/pg" -k "$work/pgs" -c listen_addresses= -c fsync=off -c log_statement=all -c logging_collector=on -c log_destination=jsonlog -c log_directory="$work/pg/log" &>/dev/null &
pids+=($!)
mariadb-install-db --no-defaults --user=postgres --datadir="$work/my" --auth-root-authentication-method=normal --skip-test-db >/dev/null
mariadbd --no-defaults --user=postgres --datadir="$work/my" --socket="$work/mys/s" --skip-networking --log-output=TABLE --character-set-server=utf8mb4 &>/dev/null &
pids+=($!)
for _ in {1..100}; do
    [ -S "$work/pgs/.s.PGSQL.5432" ] && [ -S "$work/mys/s" ] && break
    sleep 0.2
done
sleep 1

"$bin/createdb" -h "$work/pgs" -U postgres orm
mariadb --no-defaults -uroot -S "$work/mys/s" -e 'create database orm; set global general_log = on'
site=$(cd ../../service/site && pwd)
for engine in postgresql mysql; do
    where=$work/pgs
    [ "$engine" = postgresql ] || where=$work/mys/s
    for orm in django sqlalchemy; do
        if [ "$engine" = mysql ]; then
            mariadb --no-defaults -uroot -S "$where" -e 'truncate table mysql.general_log'
        else
            lines=$(cat "$work"/pg/log/*.json | wc -l)
        fi
        /usr/bin/python3 -B "${orm}_orm.py" "$engine" "$where" "$site"
        if [ "$engine" = mysql ]; then
            mariadb --no-defaults -uroot -S "$where" --raw -N -e "select json_quote(convert(argument using utf8mb4)) from mysql.general_log where command_type in ('Query', 'Execute') and user_host like 'root%'"
        else
            sleep 1
            cat "$work"/pg/log/*.json | tail -n +$((lines + 1))
        fi | /usr/bin/python3 -B distinct.py "$engine" >"$orm-$engine.jsonl"
        wc -l "$orm-$engine.jsonl"
    done
done
