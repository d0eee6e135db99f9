# SPDX-License-Identifier: GPL-2.0
# Manual pages, from scdoc.

MAN_PAGES := $(patsubst man/%.scd,$(O)/man/%,$(wildcard man/*.scd))

all: $(MAN_PAGES)

$(O)/man/%: man/%.scd | $(O)/.deps
	$(call say,SCDOC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc <$< >$@

.PHONY: install-man uninstall-man
install: install-man
uninstall: uninstall-man

install-man: $(MAN_PAGES)
	$(call say,INSTALL,$(DESTDIR)$(MANDIR))
	$(Q)$(INSTALL) -d '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(MANDIR)/man3'
	$(Q)$(INSTALL) -m 644 $(filter %.1,$^) '$(DESTDIR)$(MANDIR)/man1/'
	$(Q)$(INSTALL) -m 644 $(filter %.3,$^) '$(DESTDIR)$(MANDIR)/man3/'

uninstall-man:
	$(Q)rm -f '$(DESTDIR)$(MANDIR)/man1/carom.1' '$(DESTDIR)$(MANDIR)/man3/libcarom.3'
