# SPDX-License-Identifier: GPL-2.0
# Every entry point of Carom; see `make help`. Each directory adds its part in a rules.mk.

# Options
V ?= 0
O ?= build
PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
UNITDIR ?= $(PREFIX)/lib/systemd/system
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

# Tools
CLANG ?= clang-19
LLVM_STRIP ?= llvm-strip-19
LLVM_OBJCOPY ?= llvm-objcopy-19
PKG_CONFIG ?= pkg-config
INSTALL ?= install
# Debian has it in sbin, which is not on every user's path.
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes
override CPPFLAGS += -Iinclude -Iinclude/uapi

ifeq ($(V),0)
Q := @
# $(call say,CC,$@) prints a step of a quiet build; with V=1 the commands themselves are shown.
say = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))'
else
Q :=
say = @:
endif

# Scripts take these from the environment.
export O V
unexport MAKEOVERRIDES

# Where libbpf is depends on the release; valid once $(O)/.deps is there.
LIBBPF_CFLAGS = $(shell O='$(O)' scripts/libbpf-fetch --cflags)
LIBBPF_LIBS = $(shell O='$(O)' scripts/libbpf-fetch --libs)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all kernel demo check check-run check-debug check-kcsan check-mainline check-intree lint bench \
	bench-insns bench-race bench-map kunit series series-check install uninstall clean help deps \
	FORCE

# bpf comes first: the library embeds its walkers. tests comes last: it runs what the others add.
RULES := bpf/rules.mk user/lib/rules.mk user/cli/rules.mk user/system/rules.mk dkms/rules.mk \
	debian/rules.mk examples/rules.mk man/rules.mk vmtest/rules.mk $(sort $(wildcard tests/*/rules.mk)) tests/rules.mk
include $(foreach f,$(RULES),$(wildcard $(f)))

all:

# What is missing is named in one line, before a compiler stumbles over it.
$(O)/.deps: scripts/deps scripts/libbpf-fetch
	$(Q)mkdir -p $(@D)
	$(Q)scripts/deps check
	$(Q)scripts/libbpf-fetch
	$(Q)touch $@

$(O)/%.o: %.c | $(O)/.deps
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# kbuild keeps its own dependency files below $(O)/kernel.
-include $(shell find $(addprefix $(O)/,bpf user examples tests vmtest) -type f -name '*.d' 2>/dev/null)

kernel: $(O)/.deps
	$(Q)scripts/kernel-modules

# The patches for a kernel's own tree. series-check builds each of them; LAST=1 only the last.
series:
	$(Q)scripts/series '$(KVER)'

series-check:
	$(Q)scripts/series-check $(if $(LAST),--last) '$(KVER)'

# Installs what is missing, after naming it.
deps:
	$(Q)scripts/deps install

# With a CPU each, unless the caller has said how many; what runs the tests shares them out itself.
JOBS := $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
check: deps
	$(Q)$(MAKE) --no-print-directory $(JOBS) all kernel check-build
	$(Q)$(MAKE) --no-print-directory check-run

# The VM's part of the tests once more, on a kernel that looks for bugs: with KASAN, lockdep and the
# like, or those that run concurrently with KCSAN. Or on the newest kernel that there is a series for, or
# on that with the whole series in its tree, built in.
check-debug check-kcsan check-mainline check-intree: check-%: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/kernel-modules --kernel $*
	$(Q)$(MAKE) --no-print-directory check-$*-run

# The engine's logic, without a device: in a kernel that is a program of this machine's.
KVER ?= 6.12
kunit: deps
	$(Q)scripts/kunit '$(KVER)'

demo: deps
	$(Q)$(MAKE) --no-print-directory all kernel
	$(Q)$(MAKE) --no-print-directory demo-run

bench-insns: deps
	$(Q)$(MAKE) --no-print-directory all kernel
	$(Q)$(MAKE) --no-print-directory bench-insns-run

# On Linux 7.3, as io_uring's loop_step is in no older one; KERNEL=backports for Debian's own.
bench-race: KERNEL ?= mainline
bench-race: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/kernel-modules --kernel '$(KERNEL)'
	$(Q)$(MAKE) --no-print-directory bench-race-run KERNEL='$(KERNEL)'

# By kernel of vmtest/run, e.g. KERNELS='stock mainline'.
KERNELS ?= stock
bench-map: deps
	$(Q)$(MAKE) --no-print-directory all kernel
	$(Q)$(MAKE) --no-print-directory bench-map-run

bench: deps
	$(Q)$(MAKE) --no-print-directory all kernel
	$(Q)$(MAKE) --no-print-directory bench-run

lint:
	$(Q)scripts/lint

install uninstall:

# $(call rmdirs,DIR...) takes Carom's own directories away, unless others have put something there.
rmdirs = $(Q)rmdir $(foreach d,$1,'$(DESTDIR)$d') 2>/dev/null || :

# Downloads are kept outside the tree, see scripts/kernel-fetch --help.
clean:
	$(call say,CLEAN,$(O))
	$(Q)rm -rf '$(O)'

help:
	@printf '%s\n' \
	'make            user space and BPF programs' \
	'make kernel     patched nvme.ko and carom.ko for the 6.12 kernel of Debian' \
	'make series KVER=7.3  the series for the kernel'"'"'s own tree (or 6.12), in $(O)/series' \
	'make series-check KVER=7.3  that series, built patch by patch (LAST=1: the last)' \
	'make demo       a lookup in the kernel, shown in a VM' \
	'make check      all tests (unit tests here, the rest in VMs)' \
	'make check-debug  the tests in the VM on a kernel with KASAN, lockdep, kmemleak, ...' \
	'make check-kcsan  the concurrent ones on a kernel that looks for data races' \
	'make check-mainline  the tests in the VM on Linux 7.3 (or KSRC=dir, a tree of that series)' \
	'make check-intree  some of them on that with the whole series in its tree, built in' \
	'make kunit      KUnit tests of the engine, under User Mode Linux of KVER=$(KVER) (or 7.3)' \
	'make bench      the benchmarks, in a VM, drawn in $(O)/bench' \
	'make bench-insns  of these, instructions per lookup for every way of reading' \
	'make bench-race  the same on Linux 7.3, beside io_uring with loop_step (KERNEL=backports: Debian'"'"'s)' \
	'make bench-map KERNELS="stock mainline"  instructions of opening files of up to 1,000,000 extents' \
	'make lint       shellcheck, cppcheck, sparse, checkpatch, licence lines' \
	'make deps       install the Debian packages that are missing (demo, check and bench do)' \
	'make install    to PREFIX=$(PREFIX), below DESTDIR' \
	'make uninstall  what install put there' \
	'make deb        Debian packages, in $(O)/deb; make check-packages boots them' \
	'make clean      remove the output directory' \
	'' \
	'V=1 shows commands, O=dir is the output directory (default: build).'
