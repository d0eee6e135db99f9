# SPDX-License-Identifier: GPL-2.0
# libcarom: shared, static, and its pkg-config file.

CAROM_VERSION := 0.1.0
LIB_SONAME := libcarom.so.0
LIB_REAL := libcarom.so.$(CAROM_VERSION)

# Formats are compiled in, and the walkers that they need once more natively.
LIB_SRCS := $(wildcard user/lib/*.c user/formats/*.c)
LIB_SQLITE := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/sqlite*.bpf.c))
LIB_WALKERS := lmdb lmdb_scan lmdb_many $(LIB_SQLITE)
LIB_OBJS := $(LIB_SRCS:%.c=$(O)/%.o) $(LIB_WALKERS:%=$(O)/bpf/%.native.o)

all: $(O)/$(LIB_SONAME) $(O)/libcarom.a $(O)/libcarom.pc

$(LIB_OBJS): override CFLAGS += -fPIC
$(LIB_OBJS): override CPPFLAGS += -D_GNU_SOURCE -Iuser/lib

$(O)/bpf/%.native.o: bpf/%.bpf.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ -x c $<

$(O)/$(LIB_REAL): $(LIB_OBJS) user/lib/libcarom.map
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(LIB_SONAME) -Wl,-z,defs \
		-Wl,--version-script=user/lib/libcarom.map -o $@ $(LIB_OBJS) -luring -lsqlite3 -pthread

$(O)/$(LIB_SONAME): $(O)/$(LIB_REAL)
	$(Q)ln -sf $(LIB_REAL) $@
	$(Q)ln -sf $(LIB_REAL) $(O)/libcarom.so

# Made anew, so that no object of a source that is gone stays in it.
$(O)/libcarom.a: $(LIB_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(LIB_OBJS)

# Depends on where it will be installed, so it is written each time and kept if equal.
$(O)/libcarom.pc: user/lib/libcarom.pc.in FORCE | $(O)/.deps
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(CAROM_VERSION)|' $< >$@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

LIB_HEADERS := include/carom/carom.h include/carom/walker.h include/carom/native.h \
	include/carom/bpf.h

.PHONY: install-lib uninstall-lib
install: install-lib
uninstall: uninstall-lib

install-lib: $(O)/$(LIB_SONAME) $(O)/libcarom.a $(O)/libcarom.pc
	$(call say,INSTALL,$(DESTDIR)$(LIBDIR)/$(LIB_REAL))
	$(Q)$(INSTALL) -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)/carom' \
		'$(DESTDIR)$(INCLUDEDIR)/linux'
	$(Q)$(INSTALL) -m 755 $(O)/$(LIB_REAL) '$(DESTDIR)$(LIBDIR)/'
	$(Q)ln -sf $(LIB_REAL) '$(DESTDIR)$(LIBDIR)/$(LIB_SONAME)'
	$(Q)ln -sf $(LIB_SONAME) '$(DESTDIR)$(LIBDIR)/libcarom.so'
	$(Q)$(INSTALL) -m 644 $(O)/libcarom.a '$(DESTDIR)$(LIBDIR)/'
	$(Q)$(INSTALL) -m 644 $(O)/libcarom.pc '$(DESTDIR)$(LIBDIR)/pkgconfig/'
	$(Q)$(INSTALL) -m 644 $(LIB_HEADERS) '$(DESTDIR)$(INCLUDEDIR)/carom/'
	$(Q)$(INSTALL) -m 644 include/uapi/linux/carom.h '$(DESTDIR)$(INCLUDEDIR)/linux/'

uninstall-lib:
	$(Q)rm -f '$(DESTDIR)$(LIBDIR)/$(LIB_REAL)' '$(DESTDIR)$(LIBDIR)/$(LIB_SONAME)' \
		'$(DESTDIR)$(LIBDIR)/libcarom.so' '$(DESTDIR)$(LIBDIR)/libcarom.a' \
		'$(DESTDIR)$(LIBDIR)/pkgconfig/libcarom.pc' \
		'$(DESTDIR)$(INCLUDEDIR)/linux/carom.h'
	$(Q)cd '$(DESTDIR)$(INCLUDEDIR)/carom' 2>/dev/null && rm -f $(notdir $(LIB_HEADERS)) || :
	$(call rmdirs,$(INCLUDEDIR)/carom)
