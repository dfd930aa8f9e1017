#!/bin/bash
# Installs, from Debian's own archive, the client libraries of the SQL matrix that are not there (PostgreSQL is lab/provision.sh's, MariaDB .ci/deps'). None
# of these packages starts a service. "quick": only what the quick half needs.
set -euo pipefail

packages=(
	gcc
	libc6-dev
	libmariadb-dev
	libpq-dev
	mariadb-client-core
	mariadb-server-core
	python3-asyncpg
	python3-django
	python3-mysqldb
	python3-pg8000
	python3-psycopg
	python3-psycopg2
	python3-pymysql
	python3-sqlalchemy
)
if [ "${1:-all}" != quick ]; then
	packages+=(
		libdbd-mariadb-perl
		libdbd-mysql-perl
		libdbd-pg-perl
		libpostgresql-jdbc-java
		openjdk-17-jdk-headless # compiles the program of pgjdbc as it starts it
		php-cli
		php-mysql
		php-pgsql
		ruby-activerecord
		ruby-mysql2
		ruby-pg
		ruby-sequel
	)
	command -v npm >/dev/null || packages+=(npm) # brings Node as well
fi

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
