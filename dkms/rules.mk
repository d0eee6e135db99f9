# SPDX-License-Identifier: GPL-2.0
# The modules for DKMS, which builds them for each kernel that is installed. For packages: what puts it to
# use is in debian/carom-dkms.postinst.

DKMSDIR ?= /usr/src/carom-$(CAROM_VERSION)
# What dkms/build needs of the tree.
DKMS_FILES := $(wildcard kernel/*.[ch]) kernel/Kbuild include/uapi/linux/carom.h \
	$(wildcard kernel-patches/6.12/*)
DKMS_SCRIPTS := scripts/common.sh scripts/kernel-tree.sh

.PHONY: install-dkms
install-dkms:
	$(call say,INSTALL,$(DESTDIR)$(DKMSDIR))
	$(Q)$(foreach f,$(DKMS_FILES) $(DKMS_SCRIPTS),$(INSTALL) -D -m 644 $f '$(DESTDIR)$(DKMSDIR)/$f' &&) :
	$(Q)$(INSTALL) -D -m 755 dkms/build '$(DESTDIR)$(DKMSDIR)/dkms/build'
	$(Q)$(INSTALL) -D -m 644 dkms/dkms.conf '$(DESTDIR)$(DKMSDIR)/dkms.conf'
	$(Q)$(INSTALL) -D -m 755 dkms/update '$(DESTDIR)/usr/lib/carom-dkms/update'
	$(Q)sed -i 's/#MODULE_VERSION#/$(CAROM_VERSION)/' '$(DESTDIR)$(DKMSDIR)/dkms.conf' \
		'$(DESTDIR)/usr/lib/carom-dkms/update'
	$(Q)$(INSTALL) -D -m 755 dkms/kernel-hook '$(DESTDIR)/etc/kernel/postinst.d/carom-dkms'
	$(Q)$(INSTALL) -D -m 755 dkms/kernel-hook '$(DESTDIR)/etc/kernel/header_postinst.d/carom-dkms'
	$(Q)$(INSTALL) -D -m 755 dkms/initramfs-hook '$(DESTDIR)/usr/share/initramfs-tools/hooks/carom-dkms'
	$(Q)$(INSTALL) -D -m 644 dkms/carom.modprobe.conf '$(DESTDIR)/usr/lib/modprobe.d/carom-dkms.conf'
