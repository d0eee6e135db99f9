# SPDX-License-Identifier: GPL-2.0
# Documents that are a sequence of commands; in the VM that is tests/vm/walkers_doc.vmt.

HOST_TESTS += tests/doc/walkers.test
