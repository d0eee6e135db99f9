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
