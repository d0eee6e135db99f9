# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Programs of another Debian than this host's: its packages are unpacked below the build directory, not
# installed, and run in a mount namespace of their own. Sourced after apt.sh.

# What kbuild runs besides the compiler.
ROOT_TOOLS=(base-files bash binutils coreutils dash diffutils dpkg findutils gawk grep gzip kmod libc-bin make
	perl-base sed xz-utils)

# root_packages PACKAGE...: "NAME VERSION" of those and of all that they depend on, by the lists in use.
root_packages()
{
	local status=$APT_DIR/none/status

	: >"$status"
	apt-get "${APT_OPTS[@]}" -o Dir::State::status="$status" --no-install-recommends --simulate \
		install "$@" | awk '$1 == "Inst" { print $2, substr($3, 2) }'
}

# root_make SUITE PACKAGE...: unpacks what runs PACKAGE of SUITE, which may be its release's backports, once,
# and says in ROOT where.
root_make()
{
	local suite=$1 release=${1%%-*} what work deb
	shift

	ROOT=$BUILD/root-$release
	what="$suite $*"
	[[ ! -f $ROOT/complete || $(<"$ROOT/complete") != "$what" ]] || return 0
	apt_use_private "$suite-root" "$release" "$release-updates" "$suite"
	work=$(mktemp -d "$BUILD/.root-$release.XXXXXX")
	root_packages "${ROOT_TOOLS[@]}" "$@" >"$work/packages"
	[[ -s $work/packages ]] || die "$suite has not all of: ${ROOT_TOOLS[*]} $*"
	step ROOT "$(wc -l <"$work/packages") packages of $release in $ROOT"
	apt_download_all <"$work/packages" >"$work/debs" || die "cannot fetch packages of $release"
	while read -r deb; do
		dpkg -x "$deb" "$work" || die "$deb is damaged: remove it and try again"
	done <"$work/debs"
	# What is made when they are installed, and needed.
	ln -sf gawk "$work/usr/bin/awk"
	printf '%s\n' "$what" >"$work/complete"
	chmod 755 "$work"
	rm -rf "$ROOT"
	mv "$work" "$ROOT"
}

# root_run ROOT COMMAND...: there, with the source and the build directory where they are. It takes root or
# a user namespace.
root_run()
{
	local root=$1 user=()
	shift

	((EUID == 0)) || user=(--map-root-user)
	# shellcheck disable=SC2016 # they are that shell's
	unshare "${user[@]}" --mount bash -c '
		root=$1 top=$2 build=$3
		shift 3
		for dir in /dev /proc /tmp "$top" "$build"; do
			mkdir -p "$root$dir" && mount --rbind "$dir" "$root$dir" || exit
		done
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin LC_ALL=C "$@"
		' root "$root" "$TOP" "$BUILD" "$@"
}
