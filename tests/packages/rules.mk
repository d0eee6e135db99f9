# SPDX-License-Identifier: GPL-2.0
# What is packaged.

HOST_TESTS += tests/packages/dkms.test
