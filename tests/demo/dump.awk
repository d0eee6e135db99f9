# SPDX-License-Identifier: GPL-2.0
# Makes mdb_load's input out of "key<TAB>value" lines, sorted and unique.
#   db     name of the database, empty for the main one
#   limit  how many, 0 for all
#   pad    pad keys to that many bytes
function padded(key)
{
	return pad > length(key) ? key substr(dots, 1, pad - length(key)) : key
}

BEGIN {
	FS = "\t"
	dots = sprintf("%511s", "")
	gsub(/ /, ".", dots)
	print "VERSION=3\nformat=print\ntype=btree\nmapsize=1073741824\nmaxreaders=126"
	if (db != "")
		print "database=" db
	print "HEADER=END"
}
!limit || NR <= limit { print " " padded($1) "\n " $2 }
END { print "DATA=END" }
