// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing: who may ask for it, which files can be sealed, and keeping their
 * blocks where they are for as long as a session has them mapped.
 *
 * deny_write_access() keeps writers, truncation and everything that needs a
 * descriptor open for writing away. XFS also lets the owner of a file
 * deduplicate onto it without one, which moves blocks; S_SWAPFILE forbids
 * that, as it does for swap files.
 */
#include <linux/blk-mq.h>
#include <linux/file.h>
#include <linux/fileattr.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

#include "carom.h"

static DEFINE_MUTEX(carom_files_lock);
static LIST_HEAD(carom_files);

/* Note why, for user space, and return @err. @detail may be NULL. */
int carom_refuse(struct carom_why *why, int err, enum carom_refusal refusal,
		 const char *detail)
{
	why->refusal = refusal;
	strscpy_pad(why->detail, detail ?: "", sizeof(why->detail));
	return err;
}

/*
 * A reader must not be able to block a stranger's writes, so a file's owner or
 * CAP_FOWNER it has to be. Block devices are not blocked for anybody.
 */
static int carom_may_seal(struct file *file, struct inode *inode, struct carom_why *why)
{
	if (!(file->f_mode & FMODE_READ))
		return carom_refuse(why, -EBADF, CAROM_REFUSED_NOT_READABLE, NULL);
	if (S_ISBLK(inode->i_mode))
		return 0;
	if (!S_ISREG(inode->i_mode))
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_FILE_TYPE,
				    S_ISDIR(inode->i_mode) ? "directory" : "special file");
	if (!inode_owner_or_capable(file_mnt_idmap(file), inode))
		return carom_refuse(why, -EPERM, CAROM_REFUSED_NOT_OWNER, NULL);
	return 0;
}

/* What the filesystem says of the inode through its own attributes. */
static int carom_check_attributes(struct file *file, struct inode *inode,
				  struct carom_why *why)
{
	struct file_kattr fa = { };
	struct kstat st;
	int err;

	err = vfs_fileattr_get(file->f_path.dentry, &fa);
	if (err)
		return carom_refuse(why, err, CAROM_REFUSED_FILESYSTEM, inode->i_sb->s_type->name);
	if (fa.flags & FS_INLINE_DATA_FL)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_INLINE, NULL);
	if (fa.flags & FS_COMPR_FL)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_COMPRESSED, NULL);
	if (fa.flags & FS_JOURNAL_DATA_FL)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_JOURNALED, "chattr +j");
	if (fa.fsx_xflags & FS_XFLAG_REALTIME)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_REALTIME, NULL);

	/* The only word of a whole filesystem mounted with data=journal. */
	err = vfs_getattr(&file->f_path, &st, STATX_DIOALIGN, AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	if ((st.result_mask & STATX_DIOALIGN) && !st.dio_offset_align)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_JOURNALED, "data=journal");
	return 0;
}

static int carom_check_inode(struct file *file, struct inode *inode, struct carom_why *why)
{
	if (S_ISBLK(inode->i_mode))
		return 0;
	if (!carom_fs_is(inode, "ext4") && !carom_fs_is(inode, "xfs"))
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_FILESYSTEM,
				    inode->i_sb->s_type->name);
	if (!i_size_read(inode))
		return carom_refuse(why, -ENODATA, CAROM_REFUSED_EMPTY, NULL);
	if (IS_DAX(inode))
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_DAX, NULL);
	if (IS_ENCRYPTED(inode))
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_ENCRYPTED, NULL);
	if (IS_VERITY(inode))
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_VERITY, NULL);
	return carom_check_attributes(file, inode, why);
}

static struct block_device *carom_bdev_of(struct file *file, struct inode *inode)
{
	return S_ISBLK(inode->i_mode) ? I_BDEV(inode) : inode->i_sb->s_bdev;
}

static int carom_check_device(struct carom_file *cf, struct carom_why *why)
{
	struct block_device *bdev = cf->bdev;
	const char *name;
	int err;

	if (!bdev)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_DEVICE, "none");
	name = bdev->bd_disk->disk_name;
	err = nvme_chain_probe(bdev, &cf->limits);
	if (err == -EPROTONOSUPPORT)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_INTEGRITY, name);
	if (err && str_has_prefix(name, "nvme") && !queue_is_mq(bdev_get_queue(bdev)))
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_MULTIPATH, name);
	if (err)
		return carom_refuse(why, -EOPNOTSUPP, CAROM_REFUSED_DEVICE, name);
	cf->part_start = bdev->bd_start_sect;
	cf->part_sectors = bdev_nr_sectors(bdev);
	return 0;
}

static int carom_set_swapfile(struct carom_file *cf, struct carom_why *why)
{
	struct inode *inode = cf->inode;
	int err = 0;

	inode_lock(inode);
	if (IS_SWAPFILE(inode)) {
		err = carom_refuse(why, -EBUSY, CAROM_REFUSED_SWAPFILE, NULL);
	} else if (file_inode(cf->file)->i_fop->remap_file_range) {
		inode->i_flags |= S_SWAPFILE;
		cf->swapfile = true;
	}
	inode_unlock(inode);
	return err;
}

static void carom_clear_swapfile(struct carom_file *cf)
{
	if (!cf->swapfile)
		return;
	inode_lock(cf->inode);
	cf->inode->i_flags &= ~S_SWAPFILE;
	inode_unlock(cf->inode);
	cf->swapfile = false;
}

static int carom_map_file(struct carom_file *cf, struct carom_why *why)
{
	struct inode *inode = cf->inode;
	int err;

	err = filemap_write_and_wait(inode->i_mapping);
	if (err)
		return carom_refuse(why, err, CAROM_REFUSED_FLUSH, NULL);
	cf->size = i_size_read(inode);
	err = carom_map_build(&cf->map, cf->file, cf->part_start);
	if (err == -ENOMEM)
		return carom_refuse(why, err, CAROM_REFUSED_NO_MEMORY, NULL);
	if (err == -EOPNOTSUPP)
		return carom_refuse(why, err, CAROM_REFUSED_REFLINK, NULL);
	return err;
}

static int carom_map_bdev(struct carom_file *cf, struct carom_why *why)
{
	int err;

	err = filemap_write_and_wait(cf->inode->i_mapping);
	if (err)
		return carom_refuse(why, err, CAROM_REFUSED_FLUSH, NULL);
	cf->size = cf->part_sectors << SECTOR_SHIFT;
	return carom_map_add(&cf->map, 0, cf->part_start, cf->part_sectors);
}

/* Under cf->lock. On failure nothing is left behind. */
static int carom_seal(struct carom_file *cf, struct carom_why *why)
{
	int err;

	err = carom_check_device(cf, why);
	if (err)
		return err;
	if (S_ISBLK(cf->inode->i_mode)) {
		err = carom_map_bdev(cf, why);
		if (err)
			carom_map_free(&cf->map);
		return err;
	}

	/* Swap holds its files open for writing; this is the better reason. */
	if (IS_SWAPFILE(cf->inode))
		return carom_refuse(why, -EBUSY, CAROM_REFUSED_SWAPFILE, NULL);
	if (deny_write_access(cf->file))
		return carom_refuse(why, -ETXTBSY, CAROM_REFUSED_WRITER, NULL);
	err = carom_set_swapfile(cf, why);
	if (err)
		goto out_allow;
	err = carom_map_file(cf, why);
	if (err)
		goto out_map;
	return 0;

out_map:
	carom_map_free(&cf->map);
	carom_clear_swapfile(cf);
out_allow:
	allow_write_access(cf->file);
	return err;
}

static void carom_unseal(struct carom_file *cf)
{
	carom_map_free(&cf->map);
	if (S_ISBLK(cf->inode->i_mode))
		return;
	carom_clear_swapfile(cf);
	allow_write_access(cf->file);
}

static struct carom_file *carom_file_new(struct file *file, struct inode *inode)
{
	struct carom_file *cf = kzalloc(sizeof(*cf), GFP_KERNEL_ACCOUNT);

	if (!cf)
		return NULL;
	mutex_init(&cf->lock);
	cf->users = 1;
	cf->inode = inode;
	cf->file = get_file(file);
	cf->bdev = carom_bdev_of(file, inode);
	list_add(&cf->list, &carom_files);
	return cf;
}

static struct carom_file *carom_file_find_or_new(struct file *file, struct inode *inode)
{
	struct carom_file *cf;

	mutex_lock(&carom_files_lock);
	list_for_each_entry(cf, &carom_files, list) {
		if (cf->inode == inode) {
			cf->users++;
			goto out;
		}
	}
	cf = carom_file_new(file, inode);
out:
	mutex_unlock(&carom_files_lock);
	return cf;
}

/**
 * carom_file_get() - seal a file, or join those who have
 * @file: open for reading
 * @why: filled when refused
 *
 * Context: task, may sleep for as long as writing back and mapping takes.
 * Return: the sealed file, or an ERR_PTR.
 */
struct carom_file *carom_file_get(struct file *file, struct carom_why *why)
{
	/* For a block device node this is the device's inode, not the node's. */
	struct inode *inode = file->f_mapping->host;
	struct carom_file *cf;
	int err;

	err = carom_may_seal(file, file_inode(file), why);
	if (err)
		return ERR_PTR(err);
	if (S_ISREG(file_inode(file)->i_mode))
		inode = file_inode(file);
	err = carom_check_inode(file, inode, why);
	if (err)
		return ERR_PTR(err);

	cf = carom_file_find_or_new(file, inode);
	if (!cf)
		return ERR_PTR(carom_refuse(why, -ENOMEM, CAROM_REFUSED_NO_MEMORY, NULL));
	err = mutex_lock_killable(&cf->lock);
	if (err)
		goto out_put;
	if (!cf->sealed) {
		err = carom_seal(cf, why);
		cf->sealed = !err;
	}
	mutex_unlock(&cf->lock);
	if (err)
		goto out_put;
	return cf;

out_put:
	carom_file_put(cf);
	return ERR_PTR(err);
}

/*
 * Unsealing happens under carom_files_lock, so that whoever seals the file
 * anew finds it unsealed.
 */
void carom_file_put(struct carom_file *cf)
{
	mutex_lock(&carom_files_lock);
	if (--cf->users) {
		mutex_unlock(&carom_files_lock);
		return;
	}
	list_del(&cf->list);
	if (cf->sealed)
		carom_unseal(cf);
	mutex_unlock(&carom_files_lock);
	fput(cf->file);
	kfree(cf);
}

/* Has the partition under the file been moved or cut? Context: any. */
bool carom_file_moved(const struct carom_file *cf)
{
	return cf->bdev->bd_start_sect != cf->part_start ||
	       bdev_nr_sectors(cf->bdev) < cf->part_sectors;
}
