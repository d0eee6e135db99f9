# SPDX-License-Identifier: GPL-2.0
# The packages, made of a clean copy of the tree, in $(O)/deb.

.PHONY: deb
deb: $(O)/.deps
	$(Q)debian/build
