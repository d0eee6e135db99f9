# SPDX-License-Identifier: GPL-2.0
# kernel/ in the kernel's tree: what is documented there, and no compat.h.
/^#include "compat\.h"$/{
	N
	d
}
s,doc/abi\.md describes both,Documentation/block/carom.rst describes both,
s,^ \* doc/tracepoints\.md describes,\ * Documentation/block/carom.rst describes,
s,; also in <carom/walker\.h>\.,.,
