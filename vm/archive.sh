# Sourced: packages of any suite of Debian's archive, without installing them. A private apt state: nothing of the host's changes.

say() { printf 'vm: %s\n' "$*" >&2; }

die() {
	say "$*"
	exit 1
}

# cache is where what was fetched or built stays between runs, outside the tree.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tenantrace/vm

# mirror prints where the host's own apt takes its release from.
mirror() {
	local codename
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
		awk -v suite="$codename" '$1 == suite && $2 == "main" { print $3; exit }'
}

# archive_open gives apt options for a suite and an architecture in $apt, with the suite's index read. Its state is in the folder $3.
archive_open() {
	local suite=$1 arch=$2 state=$3 site
	site=$(mirror)
	[ -n "$site" ] || die "apt of this host knows no mirror of its own release [add one to its sources]"
	mkdir -p "$state"/lists/partial "$state"/archives/partial "$state"/empty
	: >"$state/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" >"$state/sources.list"
	apt=(-qq -o "Dir::Etc::SourceList=$state/sources.list" -o "Dir::Etc::SourceParts=$state/empty" -o "Dir::State=$state" -o "Dir::State::status=$state/status"
		-o "Dir::Cache=$state" -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o APT::Sandbox::User=root -o Acquire::Languages=none
		-o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false -o APT::Install-Recommends=false)
	apt-get "${apt[@]}" -o APT::Update::Error-Mode=any update || die "the index of $suite ($arch) cannot be read from $site"
}

# archive_closure downloads packages with all that they depend on into $state/archives.
archive_closure() {
	local state=$1
	shift
	DEBIAN_FRONTEND=noninteractive apt-get "${apt[@]}" --download-only -y install "$@" >"$state/log" 2>&1 || die "packages $*: $(tail -n 3 "$state/log")"
}

# need installs packages of the host's own release that are not there.
need() {
	local missing=() package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
	done
	[ ${#missing[@]} = 0 ] && return
	[ "$(id -u)" = 0 ] || die "missing: ${missing[*]} [run as root, or install them]"
	say "installing ${missing[*]}"
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
}
