# SPDX-License-Identifier: GPL-2.0
# Queues, on the backends that need no kernel module, against liblmdb. The library's sources once
# more, under the sanitizers.

QUEUE_DIR := $(O)/tests/queue
QUEUE_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
QUEUE_TESTS := $(addprefix $(QUEUE_DIR)/,queue_answers queue_limits queue_writer)
QUEUE_SRCS := tests/queue/modes.c tests/lookups/database.c tests/lookups/queued.c $(LIB_SRCS) \
	$(LIB_WALKERS:%=bpf/%.bpf.c)
QUEUE_OBJS := $(QUEUE_SRCS:%.c=$(QUEUE_DIR)/san/%.o)

UNIT_TESTS += $(QUEUE_TESTS)

$(QUEUE_DIR)/san/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D_GNU_SOURCE -Iuser/lib -Itests/lookups $(CFLAGS) $(QUEUE_SANITIZE) \
		-MMD -MP -c -o $@ $<

$(QUEUE_TESTS): $(QUEUE_DIR)/%: $(QUEUE_DIR)/san/tests/queue/%.o $(QUEUE_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(QUEUE_SANITIZE) -o $@ $^ -lcmocka -llmdb -lsqlite3 -luring -pthread
