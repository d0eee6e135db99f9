# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Downloads packages without installing them. Sourced after common.sh.
#
# Packages come from the archive that this host already uses. When the host's own package lists do
# not help (none fetched yet, out of date, or the package lives in a suite that the host does not
# have), a private set of lists below the cache directory does, so that neither root nor a change
# of the host's configuration is needed.

APT_DIR=$CACHE/apt
DEBS=$CACHE/debs

apt_private_opts()
{
	local suite_list=$1

	printf '%s\n' -o Dir::Etc::SourceList="$APT_DIR/$suite_list.list" \
		-o Dir::Etc::SourceParts="$APT_DIR/none" \
		-o Dir::State::Lists="$APT_DIR/$suite_list-lists" \
		-o Dir::Cache="$APT_DIR/cache" \
		-o APT::Sandbox::User="$(id -un)"
}

# "URI RELEASE" of each archive of Debian itself which the host has configured.
apt_host_archives()
{
	# The braces are apt's own variables.
	# shellcheck disable=SC2016
	apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v c="$(codename)" '$3 == "main" && index($2, c) == 1 { print $1, $2 }' | sort -u
}

# Writes $APT_DIR/NAME.list for the suites given, on the mirror that the host uses.
apt_write_sources()
{
	local name=$1 uri suite main
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	shift

	main=$(apt_host_archives | awk -v c="$(codename)" '$2 == c { print $1; exit }')
	[[ -n $main ]] || die "no Debian archive is configured on this host: add $(codename) main" \
		"to /etc/apt/sources.list.d"
	mkdir -p "$APT_DIR/none" "$APT_DIR/$name-lists/partial" "$APT_DIR/cache/archives/partial"
	{
		if (($# == 0)); then
			apt_host_archives | while read -r uri suite; do
				printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
			done
		fi
		for suite in "$@"; do
			printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$main" "$suite"
		done
	} >"$APT_DIR/$name.list.new"
	if ! cmp -s "$APT_DIR/$name.list.new" "$APT_DIR/$name.list"; then
		mv "$APT_DIR/$name.list.new" "$APT_DIR/$name.list"
	fi
}

# Makes private lists NAME for the suites given (none: those of the host) and selects them for
# apt_version() and apt_download().
apt_use_private()
{
	local name=$1
	shift

	apt_write_sources "$name" "$@"
	mapfile -t APT_OPTS < <(apt_private_opts "$name")
	step APT "package lists: $name"
	quietly apt-get "${APT_OPTS[@]}" update ||
		die "apt-get update failed for $APT_DIR/$name.list: is the archive reachable?"
}

apt_use_host()
{
	APT_OPTS=()
}

# Prints the version of a package that would be installed, nothing if there is none.
apt_version()
{
	apt-cache "${APT_OPTS[@]}" policy "$1" 2>/dev/null |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# apt_download PACKAGE VERSION: prints the path of the .deb, which is fetched unless it is there.
apt_download()
{
	apt_download_all <<<"$1 $2"
}

# apt_download_all: the same of each line of its input.
apt_download_all()
{
	local wanted package version deb missing=()

	mapfile -t wanted
	while read -r package version; do
		[[ -z $(apt_cached "$package" "$version") ]] || continue
		step GET "$package $version"
		missing+=("$package=$version")
	done < <(printf '%s\n' "${wanted[@]}")
	if ((${#missing[@]} > 0)); then
		mkdir -p "$DEBS"
		(cd "$DEBS" && quietly apt-get "${APT_OPTS[@]}" -o APT::Sandbox::User="$(id -un)" \
			download "${missing[@]}") || return 1
	fi
	while read -r package version; do
		deb=$(apt_cached "$package" "$version")
		[[ -n $deb ]] || return 1
		printf '%s\n' "$deb"
	done < <(printf '%s\n' "${wanted[@]}")
}

# apt escapes the colon of an epoch in file names.
apt_cached()
{
	local deb

	for deb in "$DEBS/${1}_${2//:/%3a}_"*.deb; do
		if [[ -s $deb ]]; then
			printf '%s\n' "$deb"
			return
		fi
	done
}
