# SPDX-License-Identifier: GPL-2.0
# usage: awk -v extents='OFFSET LENGTH LBA ...' -v shift=BITS -f trace.awk TRACE
# Follows each chain of a trace of carom's events: every node is one that was asked for, every read
# is of the LBA that the file's map has for it, and the end tells how many there were. Prints how
# many events of each name there were, and ends as "end WORD N".

function wrong(what)
{
	printf "line %d: %s: %s\n", FNR, what, $0
	status = 1
}

function lba_of(offset,    i)
{
	for (i = 1; i <= nr_extents; i += 3)
		if (offset >= ext[i] && offset < ext[i] + ext[i + 1])
			return ext[i + 2] + (offset - ext[i]) / 2 ^ shift
	return -1
}

function check_read()
{
	if (f["lba"] != lba_of(f["offset"]))
		wrong("is at LBA " lba_of(f["offset"]))
	asked[chain] = f["offset"]
}

BEGIN { nr_extents = split(extents, ext, " ") }

!match($0, /carom_[a-z_]+: /) { next }

{
	name = substr($0, RSTART + 6, RLENGTH - 8)
	count[name]++
	split("", f)
	n = split(substr($0, RSTART + RLENGTH), word, " ")
	for (i = 1; i < n; i += 2)
		f[word[i]] = word[i + 1]
	chain = f["session"] "/" f["slot"]
}

name == "chain_start" {
	if (chain in nodes)
		wrong("the last has not ended")
	nodes[chain] = 0
	next_offset[chain] = f["offset"]
}

name == "chain_submit" || name == "chain_resubmit" {
	if (f["offset"] != next_offset[chain])
		wrong("the walker said " next_offset[chain])
	check_read()
}

name == "chain_node" {
	if (f["offset"] != asked[chain] || f["index"] != nodes[chain])
		wrong("node " nodes[chain] " of offset " asked[chain] " was to come")
}

name == "chain_step" {
	nodes[chain]++
	next_offset[chain] = f["next"]
}

name == "chain_end" {
	if (f["hops"] != nodes[chain])
		wrong("there were " nodes[chain])
	if (f["ns"] <= 0)
		wrong("took no time")
	ends[f["end"]]++
	delete nodes[chain]
}

END {
	for (chain in nodes)
		wrong("chain " chain " has not ended")
	for (name in count)
		print name, count[name]
	for (name in ends)
		print "end", name, ends[name]
	exit status
}
