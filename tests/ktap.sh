# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A producer of KTAP for test scripts, to be sourced:
#
#	. "$CAROM_TOP/tests/ktap.sh"
#	ktap_plan 3
#	ktap_run "the thing works" the_thing --with arguments
#	ktap_ok "another"
#	ktap_skip "a third" "needs xfs"
#
# The script's exit status says whether anything failed.

KTAP_COUNT=0
KTAP_FAILED=0
KTAP_PLANNED=0
# What a command of ktap_run exits with to be skipped, as in the kernel's selftests.
KTAP_SKIP=4

ktap_plan()
{
	KTAP_PLANNED=$1
	printf 'KTAP version 1\n1..%d\n' "$1"
	trap ktap_end EXIT
}

# The whole script does not apply here.
ktap_skip_all()
{
	printf 'KTAP version 1\n1..0 # SKIP %s\n' "$1"
	exit 0
}

ktap_ok()
{
	KTAP_COUNT=$((KTAP_COUNT + 1))
	printf 'ok %d %s\n' "$KTAP_COUNT" "$1"
}

# ktap_fail NAME [WHY...]
ktap_fail()
{
	local name=$1
	shift

	(($# == 0)) || printf '%s\n' "$@" | sed 's/^/# /'
	KTAP_COUNT=$((KTAP_COUNT + 1))
	KTAP_FAILED=$((KTAP_FAILED + 1))
	printf 'not ok %d %s\n' "$KTAP_COUNT" "$name"
}

ktap_skip()
{
	KTAP_COUNT=$((KTAP_COUNT + 1))
	printf 'ok %d %s # SKIP %s\n' "$KTAP_COUNT" "$1" "$2"
}

# ktap_run NAME COMMAND...: its output is shown if it fails; the last line is why it was skipped.
ktap_run()
{
	local name=$1 out status=0
	shift

	out=$("$@" 2>&1) || status=$?
	case $status in
	0) ktap_ok "$name" ;;
	"$KTAP_SKIP") ktap_skip "$name" "${out##*$'\n'}" ;;
	*) ktap_fail "$name" "$out" "status $status of: $*" ;;
	esac
}

ktap_end()
{
	local status=$?

	trap - EXIT
	((status != 0)) || status=$((KTAP_FAILED > 0 || KTAP_COUNT != KTAP_PLANNED))
	exit "$status"
}
