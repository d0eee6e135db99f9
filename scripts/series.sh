# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The series for a kernel's own tree: what scripts/series, scripts/series-check and the test have in
# common. Sourced after source.sh.

# shellcheck disable=SC2034 # others have it
IN_TREE=$TOP/kernel-patches/in-tree
# What the series changes, besides what the patches do.
SERIES_PATHS=(Documentation/filesystems/fiemap.rst drivers/nvme/Kconfig drivers/nvme/Makefile drivers/nvme/host/Kconfig MAINTAINERS
	Documentation/block/index.rst Documentation/userspace-api/ioctl/ioctl-number.rst
	tools/testing/selftests/Makefile)

# series_select KVER: sets KVER, VERSION, and SUITE, where the source is if not in this release.
series_select()
{
	local config series suite

	KVER=$1 SUITE='' CONFIG=''
	VERSION=$(source_base "$KVER") || die "there is no kernel-patches/$KVER"
	# Another release of Debian's, or a later day, has another one than the patches were made on.
	if [[ -s $BUILD/kernel/current/version && $(<"$BUILD/kernel/current/version") == "$KVER".* ]]; then
		VERSION=$(<"$BUILD/kernel/current/version")
	fi
	for config in "$TOP"/vmtest/*.config; do
		! grep -q '^# With: ' "$config" || continue
		config=${config##*/}
		read -r series suite < <(source_series "${config%.config}") || continue
		if [[ $series == "$KVER" ]]; then
			SUITE=$suite
			# shellcheck disable=SC2034 # series-check has it
			CONFIG=${config%.config}
		fi
	done
}

# series_source: the files that are changed, as Debian's VERSION has them, in SOURCE.
series_source()
{
	local deb new file
	local -a wanted

	SOURCE=$BUILD/series/source-$KVER
	mapfile -t wanted < <({ printf '%s\n' "${SERIES_PATHS[@]}" &&
		sed -n 's,^--- a/,,p' "$TOP/kernel-patches/$KVER"/*.patch "$IN_TREE/$KVER"/*.patch; } | sort -u)
	[[ ! -f $SOURCE/.version || $(<"$SOURCE/.version") != "$VERSION ${wanted[*]}" ]] || return 0
	deb=$(source_fetch "$KVER" "$SUITE" "$VERSION")
	new=$SOURCE.new
	rm -rf "$new"
	source_unpack "$KVER" "$deb" "$new" "${wanted[@]/#/linux-source-$KVER/}"
	for file in "${wanted[@]}"; do
		[[ -f $new/$file ]] || die "Linux $VERSION has no $file"
	done
	printf '%s\n' "$VERSION ${wanted[*]}" >"$new/.version"
	rm -rf "$SOURCE"
	mv "$new" "$SOURCE"
}

# series_complete KVER TREE: what was not unpacked there and the series changes, as scripts/series has it.
series_complete()
{
	local source=$BUILD/series/source-$1 tree=$2 file

	(cd "$source" && find . -type f ! -name .version) | while read -r file; do
		[[ -f $tree/$file ]] || install -D -p -m 644 "$source/$file" "$tree/$file"
	done
}

# series_files [--new] PATCH: the files that it changes, or those that it adds.
series_files()
{
	case $1 in
	--new) awk '/^diff --git / { file = substr($4, 3) } /^new file mode/ { print file }' "$2" ;;
	*) sed -nE 's,^diff --git a/.* b/(.*)$,\1,p' "$1" ;;
	esac
}

# A tree to which a series is applied again and again has a directory DIR of its own, for what the files of
# the last one were before.

# series_restore DIR TREE: as the package has it, whatever was applied before. What goes back gets a new
# date, so that it is built.
series_restore()
{
	local dir=$1 tree=$2 file

	[[ -f $dir/applied ]] || return 0
	while read -r file; do
		if [[ -f $dir/pristine/$file ]]; then
			cmp -s "$dir/pristine/$file" "$tree/$file" || cp "$dir/pristine/$file" "$tree/$file"
		else
			rm -f "$tree/$file"
		fi
	done <"$dir/applied"
	rm -rf "$dir/applied" "$dir/pristine"
}

# series_remember DIR TREE PATCH...: so that series_restore() can.
series_remember()
{
	local dir=$1 tree=$2 patch
	shift 2

	mkdir -p "$dir/pristine"
	for patch in "$@"; do
		series_files "$patch"
	done | sort -u >"$dir/applied.new"
	series_keep "$tree" "$dir/applied.new" "$dir/pristine"
	mv "$dir/applied.new" "$dir/applied"
}

# series_keep TREE LIST DIR: copies, as old as the files are, of those of the list that are there.
series_keep()
{
	local file

	[[ -f $2 ]] || return 0
	while read -r file; do
		[[ ! -f $1/$file ]] || install -D -p -m 644 "$1/$file" "$3/$file"
	done <"$2"
}
