# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The VM's scratch filesystem given up and made anew, for tests that need its device; to be
# sourced in the guest.

scratch_give_up()
{
	umount /mnt/nvme
}

# On what the device holds: nothing is discarded, and what can be left as it is, is.
scratch_make()
{
	case $CAROM_VM_FS in
	ext4)
		mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=1,lazy_journal_init=1 \
			"$CAROM_VM_DEVICE" >&2 &&
			mount -t ext4 -o noinit_itable "$CAROM_VM_DEVICE" /mnt/nvme
		;;
	xfs)
		mkfs.xfs -q -f -K "$CAROM_VM_DEVICE" >&2 &&
			mount -t xfs "$CAROM_VM_DEVICE" /mnt/nvme
		;;
	esac
}
