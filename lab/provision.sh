#!/bin/bash
# Installs what the lab needs from Debian's own archive: on a Debian 12 machine as root, or as the provisioning of the Vagrant VM.
# It may run again at any time: what is installed is left alone. It stops nothing, and the lab uses none of the servers that these
# packages bring: it runs a PostgreSQL of its own (where the package "postgresql" is new, Debian makes its default cluster as always).
set -euo pipefail

packages=(
    ca-certificates
    gunicorn          # the service's server: terminates mutual TLS
    make              # runs the lab
    openssl           # the library that is traced
    postgresql        # the database server; the lab runs it in a directory of its own
    python3-django    # the service
    python3-psycopg2  # its database driver
)

missing=()
for package in "${packages[@]}"; do
    if [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing+=("$package")
    fi
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "lab: all packages are installed: ${packages[*]}"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "lab: these packages are missing: ${missing[*]} [run as root: lab/provision.sh]" >&2
    exit 1
fi
echo "lab: installing from Debian's archive: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}"
