# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For boot.test, to be sourced after scripts/common.sh and apt.sh: an installation of Debian in a
# directory.

# The releases, newest first, of which image, headers and source can be had.
kernel_versions()
{
	apt-cache madison linux-source-6.12 | awk '{ print $3 }' | sort -rVu
}

# release_of VERSION: 6.12.117-1~deb12u1 is that of 6.12.117+deb12-amd64.
release_of()
{
	apt-cache search --names-only '^linux-image-6\.12\.[^-]*-amd64$' | awk '{ print $1 }' |
		while read -r package; do
			if apt-cache madison "$package" | awk '{ print $3 }' | grep -qxF "$1"; then
				printf '%s\n' "${package#linux-image-}"
				break
			fi
		done
}

# inside ROOT COMMAND...: as root of that system; what is mounted for it goes with it.
inside()
{
	local archives=$DEBS/archives
	mkdir -p "$archives/partial"

	# shellcheck disable=SC2016 # for the other shell
	unshare -m --fork bash -c 'root=$1 && shift && mount -t proc proc "$root/proc" &&
		mount --bind /dev "$root/dev" && mount --bind "$1" "$root/var/cache/apt/archives" && shift &&
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive "$@"' - "$1" "$archives" "${@:2}"
}

# base_system ROOT: what carom-dkms needs, so that it is there before; no kernel.
base_system()
{
	local new=$1.new uri suite

	mkdir -p "$DEBS/base"
	rm -rf "$new"
	uri=$(apt_host_archives | awk -v c="$(codename)" '$2 == c { print $1; exit }')
	debootstrap --variant=minbase --cache-dir="$DEBS/base" \
		--include=udev,kmod,initramfs-tools,zstd,ca-certificates "$(codename)" "$new" "$uri" || return
	apt_host_archives | while read -r uri suite; do
		printf 'deb %s %s main\n' "$uri" "$suite"
	done >"$new/etc/apt/sources.list"
	printf '%s\n' 'APT::Install-Recommends "0";' 'APT::Keep-Downloaded-Packages "1";' \
		>"$new/etc/apt/apt.conf.d/99carom"
	printf 'Acquire::Languages "none";\n' >>"$new/etc/apt/apt.conf.d/99carom"
	cp /etc/resolv.conf "$new/etc/"
	inside "$new" apt-get -q update &&
		inside "$new" apt-get -y -q install dkms dwarves openssl patch systemd xz-utils || return
	mv "$new" "$1"
}

# The kernel VERSION, RELEASE with its headers, and whatever else is named.
install_kernel()
{
	local root=$1 release=$3
	shift 3

	inside "$root" apt-get -y -q install "linux-image-$release" "linux-headers-$release" "$@"
}
