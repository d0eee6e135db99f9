# SPDX-License-Identifier: GPL-2.0
# Manual pages, from scdoc.

MAN_PAGES := $(patsubst man/%.scd,$(O)/man/%,$(wildcard man/*.scd)) \
	$(patsubst bpf/trace/%.bt,$(O)/man/%.8,$(wildcard bpf/trace/*.bt))

all: $(MAN_PAGES)

$(O)/man/%: man/%.scd | $(O)/.deps
	$(call say,SCDOC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc <$< >$@

# A script says itself what it does.
$(O)/man/%.8: bpf/trace/%.bt bpf/trace/page | $(O)/.deps
	$(call say,SCDOC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)bpf/trace/page $< >$@.scd
	$(Q)scdoc <$@.scd >$@

.PHONY: install-man uninstall-man
install: install-man
uninstall: uninstall-man

# Where a page goes, by its section.
man_path = $(MANDIR)/man$(patsubst .%,%,$(suffix $1))/$(notdir $1)

install-man: $(MAN_PAGES)
	$(call say,INSTALL,$(DESTDIR)$(MANDIR))
	$(Q)$(foreach p,$^,$(INSTALL) -D -m 644 $p '$(DESTDIR)$(call man_path,$p)' &&) :

uninstall-man:
	$(Q)rm -f $(foreach p,$(MAN_PAGES),'$(DESTDIR)$(call man_path,$p)')
