# SPDX-License-Identifier: GPL-2.0
# The carom command. It has libcarom and libbpf inside, so that build/carom runs from
# where it is, in a VM as well.

CLI_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard user/cli/*.c))

all: $(O)/carom

$(CLI_OBJS): override CPPFLAGS += -D_GNU_SOURCE -DCAROM_VERSION='"$(CAROM_VERSION)"' \
	-DCAROM_LIBDIR='"$(LIBDIR)"' $(LIBBPF_CFLAGS)

# These two bring backends that the library lacks, made of its parts.
$(O)/user/cli/bench_ring.o $(O)/user/cli/bench_device.o: override CPPFLAGS += -Iuser/lib

# The directory of the BPF objects is compiled in.
$(O)/user/cli/.libdir: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)[ "$$(cat $@ 2>/dev/null)" = '$(LIBDIR)' ] || printf '%s\n' '$(LIBDIR)' >$@
$(O)/user/cli/walker_load.o: $(O)/user/cli/.libdir

$(O)/carom: $(CLI_OBJS) $(O)/libcarom.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CLI_OBJS) $(O)/libcarom.a $(LIBBPF_LIBS) \
		-luring -lsqlite3 -ljson-c -llmdb -lelf -lz -lm -pthread

.PHONY: install-cli uninstall-cli
install: install-cli
uninstall: uninstall-cli

# Walkers built for the kernel go where `carom walker load NAME` looks.
CLI_WALKERS := $(LIB_WALKERS:%=$(O)/bpf/%.bpf.o)

install-cli: $(O)/carom $(CLI_WALKERS)
	$(call say,INSTALL,$(DESTDIR)$(BINDIR)/carom)
	$(Q)$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)/carom/bpf'
	$(Q)$(INSTALL) -m 755 $(O)/carom '$(DESTDIR)$(BINDIR)/'
	$(Q)$(INSTALL) -m 644 $(CLI_WALKERS) '$(DESTDIR)$(LIBDIR)/carom/bpf/'

uninstall-cli:
	$(Q)rm -f '$(DESTDIR)$(BINDIR)/carom'
	$(Q)rm -rf '$(DESTDIR)$(LIBDIR)/carom'
