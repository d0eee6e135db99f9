# SPDX-License-Identifier: GPL-2.0
# What makes a machine ready for lookups when it boots: who may open /dev/carom, and a unit for
# each walker.

SYSTEM_UNIT := $(O)/user/system/carom-walker@.service

all: $(SYSTEM_UNIT)

# The command's place is in it, so it is written each time and kept if equal.
$(SYSTEM_UNIT): user/system/carom-walker@.service.in FORCE
	$(Q)mkdir -p $(@D)
	$(Q)sed 's|@BINDIR@|$(BINDIR)|' $< >$@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

.PHONY: install-system uninstall-system
install: install-system
uninstall: uninstall-system

install-system: $(SYSTEM_UNIT)
	$(call say,INSTALL,$(DESTDIR)$(UNITDIR)/carom-walker@.service)
	$(Q)$(INSTALL) -d '$(DESTDIR)$(UNITDIR)' '$(DESTDIR)$(UDEVDIR)' '$(DESTDIR)$(SYSUSERSDIR)'
	$(Q)$(INSTALL) -m 644 $(SYSTEM_UNIT) '$(DESTDIR)$(UNITDIR)/'
	$(Q)$(INSTALL) -m 644 user/system/60-carom.rules '$(DESTDIR)$(UDEVDIR)/'
	$(Q)$(INSTALL) -m 644 user/system/carom.sysusers '$(DESTDIR)$(SYSUSERSDIR)/carom.conf'

uninstall-system:
	$(Q)rm -f '$(DESTDIR)$(UNITDIR)/carom-walker@.service' '$(DESTDIR)$(UDEVDIR)/60-carom.rules' \
		'$(DESTDIR)$(SYSUSERSDIR)/carom.conf'
