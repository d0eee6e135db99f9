# SPDX-License-Identifier: GPL-2.0
# tools/model and tools/plot. Results are kept by a script's name, and there is a model.test.
HOST_TESTS += tests/tools/time_model.test tests/tools/plot.test
