# SPDX-License-Identifier: GPL-2.0
HOST_TESTS += tests/model/model.test
