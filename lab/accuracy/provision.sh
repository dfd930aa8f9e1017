#!/bin/bash
# Installs, from Debian's own archive, the servers and drivers of the accuracy harness that neither lab/provision.sh nor lab/matrix/provision.sh brings. None of
# these packages starts a service; PgBouncer, whose package does, is unpacked and not installed.
set -euo pipefail

packages=(
	python3-aiohttp
	python3-asyncpg
	python3-gevent
	python3-psycogreen
	python3-psycopg
	ruby-pg
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
