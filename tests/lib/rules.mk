# SPDX-License-Identifier: GPL-2.0
# All of libcarom with sanitizers, for tests that need no kernel.

SAN_DIR := $(O)/tests/lib/san
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_LIB_OBJS := $(patsubst %.c,$(SAN_DIR)/%.o,$(LIB_SRCS) $(LIB_WALKERS:%=bpf/%.bpf.c))

$(SAN_DIR)/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D_GNU_SOURCE -Iuser/lib $(CFLAGS) $(SAN_FLAGS) -MMD -MP -c -o $@ $<
