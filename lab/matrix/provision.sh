#!/bin/bash
# Installs, from Debian's own archive, the servers of the identity matrix that are not there (PostgreSQL is lab/provision.sh's). None of these packages
# starts a service: they are the bare servers (apache2-bin, uwsgi-core), without the packages that start them. nginx, which Debian does not have so, is
# unpacked and not installed.
set -euo pipefail

packages=(
	apache2-bin
	ca-certificates
	gcc
	gunicorn
	libc6-dev
	puma
	python3-uvloop
	uvicorn
	uwsgi-core
	uwsgi-plugin-python3
)
command -v npm >/dev/null || packages+=(npm) # brings the builds of Node

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
