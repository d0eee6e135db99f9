# SPDX-License-Identifier: GPL-2.0
# The carom command. It has libcarom and libbpf inside, so that build/carom runs from
# where it is, in a VM as well.

CLI_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard user/cli/*.c))

all: $(O)/carom

$(CLI_OBJS): override CPPFLAGS += -D_GNU_SOURCE -DCAROM_VERSION='"$(CAROM_VERSION)"' \
	-DCAROM_LIBDIR='"$(LIBDIR)"' $(LIBBPF_CFLAGS)

# These bring what the library lacks, made of its parts: backends, and chains of any walker.
$(patsubst %,$(O)/user/cli/%.o,bench_ring bench_device walker_test walker_vectors walker_run \
	stat_read stat_sum stat_show stat_metrics trace_run trace_page): \
	override CPPFLAGS += -Iuser/lib

# The directory of the BPF objects is compiled in.
$(O)/user/cli/.libdir: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)[ "$$(cat $@ 2>/dev/null)" = '$(LIBDIR)' ] || printf '%s\n' '$(LIBDIR)' >$@
$(O)/user/cli/walker_find.o: $(O)/user/cli/.libdir
# And what a new walker begins as.
$(O)/user/cli/walker_new.o: $(wildcard user/cli/template/*)

$(O)/carom: $(CLI_OBJS) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CLI_OBJS) $(O)/libcarom.a $(LIBBPF_LIBS) \
		-luring -lsqlite3 -ljson-c -llmdb -lelf -lz -lm -pthread

# For shells, from the command's own tables.
CLI_COMPLETIONS := $(O)/completion/carom.bash $(O)/completion/_carom

all: $(CLI_COMPLETIONS)

$(CLI_COMPLETIONS): $(O)/completion/%: user/cli/completion/%.in $(O)/carom
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(O)/carom --complete table >$@.table
	$(Q)sed -e '/^@TABLE@$$/{r $@.table' -e 'd;}' $< >$@
	$(Q)rm $@.table

.PHONY: install-cli uninstall-cli
install: install-cli
uninstall: uninstall-cli

# Walkers built for the kernel go where `carom walker load NAME` looks.
CLI_WALKERS := $(LIB_WALKERS:%=$(O)/bpf/%.bpf.o)

install-cli: $(O)/carom $(CLI_WALKERS) $(CLI_COMPLETIONS)
	$(call say,INSTALL,$(DESTDIR)$(BINDIR)/carom)
	$(Q)$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)/carom/bpf'
	$(Q)$(INSTALL) -m 755 $(O)/carom '$(DESTDIR)$(BINDIR)/'
	$(Q)$(INSTALL) -m 644 $(CLI_WALKERS) '$(DESTDIR)$(LIBDIR)/carom/bpf/'
	$(Q)$(INSTALL) -D -m 644 $(O)/completion/carom.bash '$(DESTDIR)$(BASHCOMPDIR)/carom'
	$(Q)$(INSTALL) -D -m 644 $(O)/completion/_carom '$(DESTDIR)$(ZSHCOMPDIR)/_carom'

uninstall-cli:
	$(Q)rm -f '$(DESTDIR)$(BINDIR)/carom' '$(DESTDIR)$(BASHCOMPDIR)/carom' \
		'$(DESTDIR)$(ZSHCOMPDIR)/_carom'
	$(Q)cd '$(DESTDIR)$(LIBDIR)/carom/bpf' 2>/dev/null && rm -f $(notdir $(CLI_WALKERS)) || :
	$(call rmdirs,$(LIBDIR)/carom/bpf $(LIBDIR)/carom)
