#!/bin/bash
# closure.sh SUITE DIRECTORY PACKAGE…: downloads packages of a suite of Debian's archive with all that they depend on, down to the C library, and unpacks
# them into a new directory without installing them. It asks the mirror that the machine's own apt uses, with a state of its own, so that nothing of
# the machine's changes. A package after a "+" is taken as there: what needs it only to be installed as a service needs none of its own dependencies.
set -euo pipefail

suite=$1 directory=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p state/lists/partial cache/archives/partial empty root

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
	awk -v suite="$codename" '$1 == suite && $2 == "main" && !found { print $3; found = 1 }')
if [ -z "$mirror" ]; then
	echo "apt knows no mirror of its own release \"$codename\" [add one to its sources]" >&2
	exit 1
fi
: >status
packages=()
for package in "$@"; do
	case $package in
	+*) printf 'Package: %s\nStatus: install ok installed\nArchitecture: %s\nMulti-Arch: allowed\nVersion: 9999\n\n' "${package#+}" "$(dpkg --print-architecture)" >>status ;;
	*) packages+=("$package") ;;
	esac
done
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >sources.list
apt=(-qq -y -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/empty" -o "Dir::State=$work/state" -o "Dir::State::status=$work/status"
	-o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2)
apt-get "${apt[@]}" -o APT::Update::Error-Mode=any update
apt-get "${apt[@]}" --no-install-recommends --download-only install "${packages[@]}"
for package in cache/archives/*.deb; do
	dpkg-deb -x "$package" root
done
mkdir -p "$(dirname "$directory")"
near=$(mktemp -d "$directory.XXXXXX")
chmod 755 "$near"
cp -a root/. "$near"
mv -T "$near" "$directory" 2>/dev/null || rm -rf "$near" # another may have put it there meanwhile
test -d "$directory"
