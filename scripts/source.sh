# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where the source of a kernel is that this release does not run. Sourced after apt.sh.

# source_series NAME: "SERIES SUITE", as vmtest/NAME.config says which package it is for, or nothing
# if it is for that of the stock kernel.
source_series()
{
	sed -nE 's/^# Source: linux-source-([0-9.]+) from ([a-z-]+)$/\1 \2/p' "$TOP/vmtest/$1.config"
}

# source_base SERIES: the version that its patches were made for.
source_base()
{
	cat "$TOP/kernel-patches/$1/BASE" 2>/dev/null
}

# source_version SERIES SUITE: the version to take. What the patches were made for if it has been
# fetched already, otherwise what the archive has.
source_version()
{
	local series=$1 suite=$2 version

	version=$(source_base "$series")
	if [[ -z $version || -z $(apt_cached "linux-source-$series" "$version") ]]; then
		source_use_archive "$series" "$suite"
		version=$(apt_version "linux-source-$series")
	fi
	[[ -n $version ]] || die "the package linux-source-$series was not found in $suite: with" \
		"KSRC=DIR a tree of that series can be given"
	printf '%s\n' "$version"
}

# The lists of this host, or private ones of SUITE, if there is one, as they know the package.
source_use_archive()
{
	apt_use_host
	[[ -z $2 || -n $(apt_version "linux-source-$1") ]] || apt_use_private "$2" "$2"
}

# source_fetch SERIES SUITE VERSION: prints the path of the package.
source_fetch()
{
	local deb

	deb=$(apt_cached "linux-source-$1" "$3")
	if [[ -z $deb ]]; then
		source_use_archive "$1" "$2"
		deb=$(apt_download "linux-source-$1" "$3") ||
			die "cannot fetch the source of $3: try scripts/kernel-fetch --update"
	fi
	printf '%s\n' "$deb"
}

# source_unpack SERIES DEB DIR [TAR-ARGUMENT...]: what is in the package, into DIR.
source_unpack()
{
	local series=$1 deb=$2 dir=$3
	shift 3

	mkdir -p "$dir"
	step UNPACK "linux-source-$series.tar.xz"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/linux-source-$series.tar.xz" |
		tar -xJ -C "$dir" --strip-components=1 "$@" ||
		die "$deb is damaged: remove it and try again"
}

# source_tree_version DIR: as its Makefile says.
source_tree_version()
{
	[[ -f $1/Makefile && -d $1/drivers/nvme/host ]] || die "KSRC=$1 is not a kernel's source"
	awk '$1 ~ /^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)$/ && $2 == "=" { v[$1] = $3 }
		END { printf "%s.%s.%s%s\n", v["VERSION"], v["PATCHLEVEL"], v["SUBLEVEL"],
			v["EXTRAVERSION"] }' "$1/Makefile"
}

# source_tree_digest DIR: another when a file has been touched, which takes a second, not a minute.
source_tree_digest()
{
	(cd "$1" && find . -name .git -prune -o -type f -printf '%P %s %T@\n') | sort | sha256sum |
		cut -c1-16
}
