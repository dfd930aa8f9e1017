#!/bin/bash
# unpack.sh SUITE DIRECTORY PACKAGE…: downloads packages of a suite of Debian's archive, "" for the machine's own release, and unpacks them into a new
# directory without installing them. It asks the mirror that the machine's own apt uses, with a state of its own, so that nothing of the machine's changes.
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
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror ${suite:-$codename} main" >sources.list
apt=(-qq -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/empty" -o "Dir::State=$work/state" -o "Dir::State::status=$work/status"
	-o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2)
apt-get "${apt[@]}" -o APT::Update::Error-Mode=any update
apt-get "${apt[@]}" download "$@"
for package in ./*.deb; do
	dpkg-deb -x "$package" root
done
mkdir -p "$(dirname "$directory")"
near=$(mktemp -d "$directory.XXXXXX")
chmod 755 "$near"
cp -a root/. "$near"
mv -T "$near" "$directory" 2>/dev/null || rm -rf "$near" # another may have put it there meanwhile
test -d "$directory"
