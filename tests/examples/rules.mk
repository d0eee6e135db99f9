# SPDX-License-Identifier: GPL-2.0
# The example walkers against their oracles; in the VM that is tests/vm/examples.vmt.

HOST_TESTS += tests/examples/examples.test
