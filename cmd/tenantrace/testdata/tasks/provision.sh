#!/usr/bin/env bash
# Installs, from Debian's own archive, the servers and drivers of TestTasks that are not there (PostgreSQL is lab/provision.sh's). None of these packages starts a
# service.
set -euo pipefail

packages=(
	gunicorn
	python3-aiohttp
	python3-asyncpg
	python3-django
	python3-eventlet
	python3-gevent
	python3-hypercorn
	python3-psycogreen
	python3-psycopg2
	python3-uvicorn
	python3-uvloop
)

missing=()
for package in "${packages[@]}"; do
	if [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
		missing+=("$package")
	fi
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "tasks: missing: ${missing[*]} [run as root, or install them]" >&2
	exit 0 # the cells that need them are skipped, with the reason
fi
echo "tasks: installing from Debian's archive: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
