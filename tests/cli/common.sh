# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For tests of the command, to be sourced: KTAP, a directory of fixtures, and checks of what
# carom printed.

top=${CAROM_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
carom=${CAROM_BUILD:-$top/build}/carom
python=/usr/bin/python3
# shellcheck source=tests/ktap.sh
. "$top/tests/ktap.sh"
work=$(mktemp -d)

# plan COUNT: and clean up at the end, whatever happens.
plan()
{
	ktap_plan "$1"
	trap 'status=$?; rm -rf "$work"; (exit $status); ktap_end' EXIT
	cd "$work" || exit 1
}

# expect STATUS OUT ERR ARGUMENT...: run carom; OUT is all of stdout, ERR a part of stderr
# (empty: none at all). stdin is the caller's.
expect()
{
	local want=$1 out=$2 err=$3 status=0
	shift 3

	"$carom" "$@" >out 2>err || status=$?
	if ((status != want)); then
		echo "exit status $status, not $want"
	elif [[ $(<out) != "$out" ]]; then
		echo "stdout differs"
	elif [[ -n $err && $(<err) != *"$err"* ]]; then
		echo "no '$err' on stderr"
	elif [[ -z $err && -s err ]]; then
		echo "stderr should be empty"
	else
		return 0
	fi
	head -c 2000 out err
	return 1
}

# expect_json STATUS EXPRESSION ARGUMENT...: carom with --json; EXPRESSION is Python about the
# document, d, and must be true.
expect_json()
{
	local want=$1 expression=$2 status=0
	shift 2

	"$carom" "$@" >out 2>err || status=$?
	if ((status != want)); then
		echo "exit status $status, not $want"
	elif ! "$python" -m json.tool out >/dev/null; then
		echo "stdout is not one JSON document"
	elif ! "$python" -c 'import json, sys
d = json.load(open("out"))
assert d["version"] == 1 and d["command"].startswith("carom"), "head of the document"
sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)' "$expression"; then
		echo "not so: $expression"
	else
		return 0
	fi
	head -c 2000 out err
	return 1
}
