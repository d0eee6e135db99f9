# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the examples must do, natively and in the kernel; to be sourced. get_options is what `get`
# is called with there, many how many records are many.

top=${CAROM_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${CAROM_BUILD:-$top/build}
get_options=()
many=5000

# get EXAMPLE STATUS: of the keys in the file keys. It says so if it has done without the kernel.
get()
{
	local status=0

	"$build/examples/$1/get" "${get_options[@]}" data <keys >got 2>err || status=$?
	[[ ! -s err && $status == "$2" ]] && return
	echo "status $status instead of $2"
	cat err
	return 1
}

# answers EXAMPLE COUNT: a file of COUNT records finds what it has, and nothing else.
answers()
{
	local oracle=$top/examples/$1/oracle

	"$oracle" build data "$2" || return
	"$oracle" answers data >table || return
	cut -f 1 table >keys
	cut -f 2 table >want
	# A file with nothing in it has no keys, of which the sorted one asks for two even so.
	(($(wc -l <keys) >= 2 * $2)) || { echo "the oracle asks for too little"; return 1; }
	get "$1" 0 && cmp want got
}

# damaged BYTE: with one bit of it wrong, what is not answered as before is refused.
damaged()
{
	cp whole data
	/usr/bin/python3 - "$1" <<-'EOF' || return
	import sys
	at, data = int(sys.argv[1]), bytearray(open("data", "rb").read())
	data[at] ^= 1 << at % 8
	open("data", "wb").write(data)
	EOF
	get hashtable 3 || return
	paste want got | awk -F'\t' -v page=$(($1 / 4096)) '
		$1 == $2 { same++; next }
		$2 == "error: page " page ": its checksum is wrong" { refused++; next }
		{ print "wrong: " $0; wrong++ }
		END { print same + 0, "as before,", refused + 0, "refused"
			exit wrong > 0 || refused == 0 || (page > 0 && same == 0) }'
}

# Two pages that have changed places are whole, but not where they belong.
swapped()
{
	cp whole data
	dd if=data of=two bs=4096 skip=1 count=2 status=none
	dd if=two of=data bs=4096 seek=1 skip=1 count=1 conv=notrunc status=none
	dd if=two of=data bs=4096 seek=2 count=1 conv=notrunc status=none
	get hashtable 3 && grep -q '^error: page 1: it is another page' got &&
		paste want got | awk -F'\t' '$1 != $2 && $2 !~ /^error: page [12]: it is another page/ {
			print; wrong = 1 } END { exit wrong }'
}

# What is no such file at all.
foreign()
{
	"$top/examples/$1/oracle" build data 100 || return
	printf x | dd of=data bs=1 seek="$2" conv=notrunc status=none
	echo 1 >keys
	get "$1" 3 && grep "^error: .*$3" got
}

# whole COUNT: what is damaged in what follows, some keys of it, and what they find.
whole()
{
	answers hashtable "$1" && cp data whole || return
	awk 'NR % 7 == 1' table >some
	cut -f 1 some >keys
	cut -f 2 some >want
	grep -q absent want && grep -qv absent want
}

# kvd PROGRAM BACKEND CHECK: in a directory of its own.
kvd()
{
	mkdir "kvd.$2.$3" && cd "kvd.$2.$3" &&
		/usr/bin/python3 "$top/tests/examples/kvd.py" "$1" "$2" "$3"
}

example_tests()
{
	local count byte

	for count in 0 1 63 64 65 "$many"; do
		ktap_run "sorted: $count records" answers sorted "$count"
	done
	for count in 0 1 254 255 "$many"; do
		ktap_run "hashtable: $count entries" answers hashtable "$count"
	done
	ktap_run "hashtable: two buckets" whole 1500
	# Checksum, number, next, key, value, and the last; page 0.
	for byte in 4096 4104 8208 12320 16424 20479 10; do
		ktap_run "hashtable: byte $byte is damaged" damaged "$byte"
	done
	ktap_run "hashtable: pages in the wrong place" swapped
	ktap_run "sorted: another file" foreign sorted 3 "not a file of sorted records"
}
# shellcheck disable=SC2034 # for the plan
EXAMPLE_TESTS=21
