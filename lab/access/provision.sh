#!/bin/bash
# Installs, from Debian's own archive, the servers and libraries of the scenarios of access that are not there (PostgreSQL is lab/provision.sh's). None of these
# packages starts a service. PgBouncer's would: it is unpacked and not installed.
set -euo pipefail

packages=(
	ca-certificates
	gunicorn
	mariadb-client-core
	mariadb-server-core
	python3-asyncpg
	python3-flask
	python3-psycopg2
	python3-pymysql
	uwsgi-core
	uwsgi-plugin-python3
)

missing=()
for package in "${packages[@]}"; do
	if [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
		missing+=("$package")
	fi
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "lab: installing from Debian's archive: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
