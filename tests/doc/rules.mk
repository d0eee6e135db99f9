# SPDX-License-Identifier: GPL-2.0
# Documents that are a sequence of commands; in the VM that is tests/vm/walkers_doc.vmt.

HOST_TESTS += tests/doc/walkers.test tests/doc/man.test

# What the reader has when it comes to the kernel; compilers are slow in the VM. Whether it went as
# the document says is for the test to find out.
DOC_WALKERS := $(O)/tests/doc/walkers
$(DOC_WALKERS)/.made: doc/walkers.md tests/doc/blocks tests/doc/common.sh $(O)/carom \
		$(wildcard include/carom/* include/uapi/linux/*)
	$(call say,DOC,$<)
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)CAROM_BUILD='$(abspath $(O))' bash -c '. tests/doc/common.sh && cd $(@D) && "$$top/tests/doc/blocks" "$$top/$<"' \
		>$(@D).log || :
	$(Q)touch $@

vm-tests: $(DOC_WALKERS)/.made
