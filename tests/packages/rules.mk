# SPDX-License-Identifier: GPL-2.0
# The Debian packages.

HOST_TESTS += tests/packages/dkms.test tests/packages/lintian.test
