# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the scripts of this directory and by vmtest/run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# As for make: relative to the top of the tree unless absolute.
O=${O:-build}
BUILD=$(realpath -m "$([[ $O == /* ]] || printf "%s/" "$TOP")$O")
# shellcheck disable=SC2034 # apt.sh has it
CACHE=${CAROM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/carom}
# Of a kernel's source, what is patched and what that includes.
# shellcheck disable=SC2034 # others have them
DRIVER_PATHS=(drivers/nvme/host 'include/linux/nvme*.h')
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# The jobs of a make that runs a script are none of those that the script runs.
unset MAKEFLAGS MFLAGS

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Progress for the steps that take long; "  GET  foo" like the quiet make rules.
step()
{
	printf '  %-7s %s\n' "$1" "$2" >&2
}

# carom_is_built_in KERNEL: has that kernel, a directory of kernel-fetch or kernel-build, no nvme.ko and
# carom.ko, as both are in its image?
carom_is_built_in()
{
	grep -qsx CONFIG_CAROM=y "$1/root/boot/config-${1##*/}"
}

# Runs a command and shows its output only if it fails, or always with V=1.
quietly()
{
	local log status=0

	if [[ ${V:-0} != 0 ]]; then
		"$@" >&2
		return
	fi
	log=$(mktemp)
	"$@" >"$log" 2>&1 || status=$?
	((status == 0)) || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

# One writer at a time: parallel makes and VM runs share the build directory.
# $1 is the name of the lock, which is held until the calling script exits.
lock()
{
	mkdir -p "$BUILD"
	exec {carom_lock_fd}>"$BUILD/.lock-$1"
	if ! flock -n "$carom_lock_fd"; then
		say "waiting for another $1 to finish"
		flock "$carom_lock_fd"
	fi
}

# Debian release of this host: bookworm or trixie.
codename()
{
	# shellcheck disable=SC1091
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-unknown}")
}

# Digest of the files below the given paths, of which some may not exist.
digest_of()
{
	{ find "$@" -type f -print0 2>/dev/null || true; } | sort -z | xargs -0 -r sha256sum | sha256sum |
		cut -d' ' -f1
}
