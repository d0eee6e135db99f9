# SPDX-License-Identifier: GPL-2.0
# Turns `apt-cache dumpavail` into "name<TAB>record" lines, the record escaped as mdb_load wants it.
# Joined by hand: awks differ in what a backslash means in gsub()'s replacement.
function escape(text,	part, n, i, out)
{
	n = split(text, part, "\\")
	out = part[1]
	for (i = 2; i <= n; i++)
		out = out "\\5c" part[i]
	return out
}

function finish()
{
	if (name != "")
		print name "\t" record
	name = record = ""
}

/^$/ { finish(); next }
/^Package: / { name = $2 }
{ record = record escape($0) "\\0a" }
END { finish() }
