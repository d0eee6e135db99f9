# SPDX-License-Identifier: GPL-2.0
# The Debian packages. What boots is a target of its own: it installs Debian first, and then boots it
# four times.

HOST_TESTS += tests/packages/dkms.test tests/packages/lintian.test

.PHONY: check-packages
check-packages: deps
	$(Q)$(MAKE) --no-print-directory all deb
	$(Q)tests/run --vm '' --host tests/packages/boot.test
