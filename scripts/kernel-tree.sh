# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The patched driver and carom.ko as external modules: what scripts/kernel-modules and DKMS have in
# common. Sourced after common.sh.

# unpack_paths TAR DIRECTORY PATTERN...: of Debian's linux-source-SERIES.tar.xz what matches, without
# its first directory. TAR is - for what comes on stdin.
unpack_paths()
{
	local tar=$1 dir=$2
	shift 2

	tar -xJf "$tar" -C "$dir" --strip-components=1 --wildcards "${@/#/linux-source-*/}"
}

# apply_series DIR PATCHES VERSION: applies the series in PATCHES to DIR, which is from Debian's VERSION.
# Nothing is left of DIR if it does not apply.
apply_series()
{
	local patch

	for patch in "$2"/*.patch; do
		[[ ! -e $patch ]] || apply_patch "$1" "$patch" "$3" "$2"
	done
}

# apply_patch DIR PATCH VERSION SERIES: the same with one that was made for what SERIES was made for.
apply_patch()
{
	local dir=$1 patch=$2 version=$3 series=$4 out

	step PATCH "${patch##*/}"
	if ! out=$(patch -d "$dir" -p1 --fuzz=0 --batch --forward --no-backup-if-mismatch \
		<"$patch" 2>&1); then
		printf '%s\n' "$out" >&2
		rm -rf "$dir"
		die "${patch#"$TOP/"} does not apply: it was made for" \
			"$(cat "$series/BASE" 2>/dev/null || echo 'an unknown version (no BASE)')," \
			"this is $version, for which ${patch%/*} has to be rebased"
	fi
}

# patch_tree SOURCE NEW PATCHES VERSION: the same to a copy of SOURCE.
patch_tree()
{
	rm -rf "$2"
	cp -a "$1" "$2"
	apply_series "$2" "$3" "$4"
}

# write_kbuild TREE DIRECTORY...: for a tree where those are built. Kbuild passes LINUXINCLUDE on to the
# directories below, so the patched headers come first there.
write_kbuild()
{
	local tree=$1
	shift

	cat >"$tree/Kbuild" <<-EOF
	# Written by scripts/kernel-tree.sh
	export LINUXINCLUDE := -I\$(CAROM_TREE)/include -I\$(CAROM_TOP)/include/uapi \\
		\$(LINUXINCLUDE)
	obj-m := $*
	EOF
}

# build_tree HEADERS TREE TARGET...: CONFIG_… on the command line limits what the driver's own
# Makefile builds to nvme.ko; it does not change what the headers say is configured. KBUILD_IN is what
# runs make where this host's compiler does not serve.
build_tree()
{
	local headers=$1 tree=$2
	shift 2

	"${KBUILD_IN[@]}" make -C "$headers" M="$tree" CAROM_TREE="$tree" CAROM_TOP="$TOP" \
		CONFIG_NVME_CORE= CONFIG_NVME_FABRICS= CONFIG_NVME_RDMA= CONFIG_NVME_FC= \
		CONFIG_NVME_TCP= CONFIG_NVME_APPLE= ${V:+V="$V"} ${W:+W="$W"} ${C:+C="$C"} \
		-j"$(nproc)" "$@"
}

has_btf()
{
	objdump -h "$1" | grep -q ' \.BTF '
}
