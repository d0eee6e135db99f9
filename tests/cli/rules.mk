# SPDX-License-Identifier: GPL-2.0
# Tests of libcarom and of the command. The unit tests have the library's sources once more,
# under the sanitizers; the format in them is a stand-in that scripts any chain.

CLI_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CLI_TEST_DIR := $(O)/tests/cli
CLI_TESTS := $(addprefix $(CLI_TEST_DIR)/,chain_test backends_test kernel_test kernel_queue_test \
	bench_chance_test bench_lane_test verifier_test)
CLI_TEST_OBJS := $(patsubst %.c,$(CLI_TEST_DIR)/san/%.o,tests/cli/fake_format.c \
	$(wildcard user/lib/*.c))

UNIT_TESTS += $(CLI_TESTS)
HOST_TESTS += tests/cli/library.test tests/cli/install.test tests/cli/complete.test tests/cli/stat.test tests/cli/trace.test tests/cli/get.test tests/cli/commands.test tests/cli/walker.test \
	tests/cli/bench.test

$(CLI_TEST_DIR)/san/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D_GNU_SOURCE -Iuser/lib $(CFLAGS) $(CLI_SANITIZE) -MMD -MP -c \
		-o $@ $<

# chain.c alone: the test plays everything else.
$(CLI_TEST_DIR)/chain_test: CLI_TEST_OBJS := $(CLI_TEST_DIR)/san/user/lib/chain.o
# Of carom bench, what makes figures; again the test plays the rest.
BENCH_TEST_OBJS := $(patsubst %,$(CLI_TEST_DIR)/san/user/cli/%.o,bench_hist bench_random bench_lane)
$(CLI_TEST_DIR)/bench_chance_test $(CLI_TEST_DIR)/bench_lane_test: $(BENCH_TEST_OBJS)
$(CLI_TEST_DIR)/bench_chance_test: CLI_TEST_OBJS := $(filter-out %_lane.o,$(BENCH_TEST_OBJS))
$(CLI_TEST_DIR)/bench_lane_test: CLI_TEST_OBJS := $(BENCH_TEST_OBJS)
$(CLI_TEST_DIR)/verifier_test: CLI_TEST_OBJS := $(CLI_TEST_DIR)/san/user/cli/walker_verifier.o
$(CLI_TEST_DIR)/verifier_test: $(CLI_TEST_DIR)/san/user/cli/walker_verifier.o
$(CLI_TEST_DIR)/san/tests/cli/verifier_test.o: CPPFLAGS += -Iuser/cli
# What the tests play of the kernel.
FAKE_MODULE := $(CLI_TEST_DIR)/san/tests/cli/fake_module.o
FAKE_MODULE_LDFLAGS := -Wl,--wrap=open,--wrap=ioctl,--wrap=mmap
$(CLI_TEST_DIR)/kernel_test $(CLI_TEST_DIR)/kernel_queue_test: $(FAKE_MODULE)
$(CLI_TEST_DIR)/kernel_test: CLI_TEST_LDFLAGS := $(FAKE_MODULE) $(FAKE_MODULE_LDFLAGS)
$(CLI_TEST_DIR)/kernel_queue_test: CLI_TEST_LDFLAGS := $(FAKE_MODULE) $(FAKE_MODULE_LDFLAGS) \
	$(foreach f,command read prepared pending enter reap,-Wl,--wrap=carom_ring_$(f))

$(CLI_TESTS): $(CLI_TEST_DIR)/%: $(CLI_TEST_DIR)/san/tests/cli/%.o $(CLI_TEST_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(CLI_SANITIZE) $(CLI_TEST_LDFLAGS) -o $@ $< $(CLI_TEST_OBJS) \
		-lcmocka -luring -lm -pthread
