# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a reader of doc/walkers.md has after `make install`, from the build directory; to be sourced.

top=${CAROM_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${CAROM_BUILD:-$top/build}
LIBBPF_CFLAGS=$("$top/scripts/libbpf-fetch" --cflags)
export LIBBPF_CFLAGS CLANG=${CLANG:-clang-19} CAROM_CFLAGS="-I$top/include -I$top/include/uapi"
export PATH=$build:$PATH
# The reader's make is not that of the tests.
unset MAKEFLAGS MAKELEVEL MFLAGS
