# SPDX-License-Identifier: GPL-2.0

# A plugin finds QEMU's functions in the program that loads it, so it links with nothing.
$(O)/vmtest/insns.so $(O)/vmtest/profile.so: $(O)/vmtest/%.so: vmtest/%.c vmtest/markers.h \
		vmtest/spin.h vmtest/qemu-plugin.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fPIC -shared -o $@ $<

$(O)/vmtest/latency.so: vmtest/latency.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fPIC -shared -o $@ $<
