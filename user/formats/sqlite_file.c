// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The SQLite file as a whole: its header, and that nobody writes to it.
 *
 * A sealed file does not change. Of others a lock is taken, the one that SQLite's own
 * readers have; with a rollback journal it keeps writers from touching the file. With a
 * write-ahead log it does not, but then there is a log, or the header or the file's
 * times have changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sqlite.h"

extern const struct carom_native_walker carom_walker_sqlite512, carom_walker_sqlite1024,
	carom_walker_sqlite2048, carom_walker_sqlite4096, carom_walker_sqlite8192,
	carom_walker_sqlite16384, carom_walker_sqlite32768, carom_walker_sqlite65536;

static const struct carom_native_walker *const walkers[] = {
	&carom_walker_sqlite512, &carom_walker_sqlite1024, &carom_walker_sqlite2048,
	&carom_walker_sqlite4096, &carom_walker_sqlite8192, &carom_walker_sqlite16384,
	&carom_walker_sqlite32768, &carom_walker_sqlite65536,
};

extern const struct carom_native_walker carom_walker_sqlite512_many,
	carom_walker_sqlite1024_many, carom_walker_sqlite2048_many, carom_walker_sqlite4096_many,
	carom_walker_sqlite8192_many, carom_walker_sqlite16384_many,
	carom_walker_sqlite32768_many, carom_walker_sqlite65536_many;

static const struct carom_native_walker *const many_walkers[] = {
	&carom_walker_sqlite512_many, &carom_walker_sqlite1024_many,
	&carom_walker_sqlite2048_many, &carom_walker_sqlite4096_many,
	&carom_walker_sqlite8192_many, &carom_walker_sqlite16384_many,
	&carom_walker_sqlite32768_many, &carom_walker_sqlite65536_many,
};

/* SQLite's locks, as ranges of bytes. */
#define PENDING_BYTE	CAROM_SQLITE_LOCK_BYTE
#define SHARED_FIRST	(PENDING_BYTE + 2)
#define SHARED_SIZE	510

static __u32 get_u16(const __u8 *p)
{
	return (__u32)p[0] << 8 | p[1];
}

static __u32 get_u32(const __u8 *p)
{
	return get_u16(p) << 16 | get_u16(p + 2);
}

bool sqlite_probe(const void *head, size_t len)
{
	return len >= sizeof(CAROM_SQLITE_MAGIC) &&
	       !memcmp(head, CAROM_SQLITE_MAGIC, sizeof(CAROM_SQLITE_MAGIC));
}

static __u32 page_size_of(const __u8 *head)
{
	__u32 size = get_u16(head + CAROM_SQLITE_HD_PAGE);

	return size == 1 ? CAROM_SQLITE_MAX_PAGE : size;
}

const struct carom_native_walker *sqlite_pick(const char *path, const void *head, size_t len,
					      struct carom_error *err)
{
	__u32 size;
	size_t i;

	if (len < CAROM_SQLITE_HD_SIZE) {
		carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: truncated: %zu bytes; the header of an SQLite file has %d", path, len,
			CAROM_SQLITE_HD_SIZE);
		return NULL;
	}
	size = page_size_of(head);
	for (i = 0; i < sizeof(walkers) / sizeof(walkers[0]); i++)
		if (walkers[i]->node_size == size)
			return walkers[i];
	carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
		"%s: damaged: header: page size %u; SQLite has powers of two from %d to %d", path,
		size, CAROM_SQLITE_MIN_PAGE, CAROM_SQLITE_MAX_PAGE);
	return NULL;
}

const struct carom_native_walker *sqlite_pick_many(__u32 page_size)
{
	size_t i;

	for (i = 0; i < sizeof(many_walkers) / sizeof(many_walkers[0]); i++)
		if (many_walkers[i]->node_size == page_size)
			return many_walkers[i];
	return NULL;
}

static int unsupported(const char *path, const char *what, unsigned int value,
		       const char *advice, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP, "%s: %s %u; %s", path, what,
			       value, advice);
}

int sqlite_file_check(const char *path, const __u8 *head, __u64 size, struct sqlite_file *file,
		      struct carom_error *err)
{
	__u32 encoding = get_u32(head + CAROM_SQLITE_HD_ENCODING);
	__u32 pages = get_u32(head + CAROM_SQLITE_HD_PAGES);
	__u64 have;

	memcpy(file->head, head, sizeof(file->head));
	file->page_size = page_size_of(head);
	file->usable = file->page_size - head[CAROM_SQLITE_HD_RESERVED];
	file->wal = head[CAROM_SQLITE_HD_WRITE] == 2;
	if (head[CAROM_SQLITE_HD_READ] > 2)
		return unsupported(path, "SQLite file of read version",
				   head[CAROM_SQLITE_HD_READ], "only 1 and 2 are supported", err);
	if (file->usable < CAROM_SQLITE_MIN_USABLE)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: header: %u bytes of each page are reserved", path,
			head[CAROM_SQLITE_HD_RESERVED]);
	if (encoding == 2 || encoding == 3)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EOPNOTSUPP,
			"%s: text is UTF-16; only UTF-8 is supported; move it with sqlite3's "
			".dump to a new database", path);
	if (encoding > 3)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: damaged: header: text encoding %u", path, encoding);
	have = size / file->page_size;
	/* Versions before 3.7.0 do not keep the number up to date. */
	if (!pages || memcmp(head + CAROM_SQLITE_HD_CHANGES, head + CAROM_SQLITE_HD_VALID_FOR, 4))
		pages = have > 0xfffffffe ? 0xfffffffe : (__u32)have;
	if (!have || pages > have)
		return carom_error_set(err, CAROM_FAULT_FORMAT, -EBADMSG,
			"%s: truncated: %u pages of %u bytes by its header; it has %llu bytes",
			path, pages ? pages : 1, file->page_size, (unsigned long long)size);
	file->pages = pages;
	return 0;
}

/* ---- writers ---- */

static int set_lock(int fd, short type, __u64 start, __u64 len)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)start, .l_len = (off_t)len,
	};

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

/*
 * SQLite's SHARED lock, by its rules: not past a writer that waits for readers to go.
 * It is the open file's, so it ends with the index and no other close() takes it away.
 */
static int take_lock(struct carom_reader *rd, struct sqlite_index *ix, struct carom_error *err)
{
	int fd = carom_reader_fd(rd), ret;

	ret = set_lock(fd, F_RDLCK, PENDING_BYTE, 1);
	if (!ret) {
		ret = set_lock(fd, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
		set_lock(fd, F_UNLCK, PENDING_BYTE, 1);
	}
	if (ret == -EAGAIN || ret == -EACCES)
		return carom_error_set(err, CAROM_FAULT_IO, -EAGAIN,
			"%s: a program is writing to it; try again when it has committed",
			carom_reader_path(rd));
	/* Some filesystems have no locks; what is left is to see changes afterwards. */
	if (!ret)
		ix->locked = fd;
	return 0;
}

/* Not left to the last close: an io_uring that knows the file goes some time after it. */
void sqlite_file_release(struct sqlite_index *ix)
{
	if (ix->locked >= 0)
		set_lock(ix->locked, F_UNLCK, SHARED_FIRST, SHARED_SIZE);
}

/* Bytes of the file beside the database; its first byte goes to @first. -ENOENT: none. */
static int beside(const char *path, const char *suffix, __u64 *size, __u8 *first)
{
	char name[4096];
	struct stat st;
	int fd;

	*size = 0;
	*first = 0;
	if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix) >= sizeof(name))
		return -ENAMETOOLONG;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st))
		*size = (__u64)st.st_size;
	if (pread(fd, first, 1, 0) != 1)
		*first = 0;
	close(fd);
	return 0;
}

static int unreadable(const char *path, const char *suffix, int code, struct carom_error *err)
{
	return carom_error_set(err, CAROM_FAULT_IO, code,
		"%s%s: cannot be read: %s; without it nobody knows whether the database is "
		"complete", path, suffix, strerror(-code));
}

static int check_wal(struct sqlite_index *ix, struct carom_error *err)
{
	__u64 size;
	__u8 first;
	int ret = beside(ix->path, "-wal", &size, &first);

	if (ret && ret != -ENOENT)
		return unreadable(ix->path, "-wal", ret, err);
	if (!size)
		return 0;
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EAGAIN,
		"%s: changes are still in %s-wal; end the programs that have it open, or move "
		"them in with: sqlite3 %s 'PRAGMA wal_checkpoint(TRUNCATE)'", ix->path, ix->path,
		ix->path);
}

static int check_journal(struct sqlite_index *ix, struct carom_error *err)
{
	__u64 size;
	__u8 first;
	int ret = beside(ix->path, "-journal", &size, &first);

	if (ret && ret != -ENOENT)
		return unreadable(ix->path, "-journal", ret, err);
	/* One that is kept for the next transaction is empty, or its header is cleared. */
	if (!size || !first)
		return 0;
	return carom_error_set(err, CAROM_FAULT_FORMAT, -EAGAIN,
		"%s: %s-journal is hot: a transaction is under way or was interrupted; if no "
		"program has the database open, roll it back with: sqlite3 %s 'PRAGMA "
		"schema_version'", ix->path, ix->path, ix->path);
}

int sqlite_file_guard(struct carom_reader *rd, struct sqlite_index *ix, struct carom_error *err)
{
	int ret = carom_reader_sealed(rd) ? 0 : take_lock(rd, ix, err);
	struct stat st;

	if (!fstat(carom_reader_fd(rd), &st))
		ix->changed = st.st_mtim;
	if (!ret)
		ret = check_journal(ix, err);
	return ret ? ret : check_wal(ix, err);
}

int sqlite_file_unchanged(struct carom_reader *rd, struct sqlite_index *ix,
			  struct carom_error *err)
{
	__u8 head[CAROM_SQLITE_HD_SIZE];
	struct stat st;
	int ret;

	if (carom_reader_sealed(rd))
		return 0;
	ret = carom_reader_peek(rd, head, sizeof(head), 0);
	if (!ret && ix->file.wal)
		ret = fstat(carom_reader_fd(rd), &st) || st.st_mtim.tv_sec != ix->changed.tv_sec ||
		      st.st_mtim.tv_nsec != ix->changed.tv_nsec;
	if (!ret && !memcmp(head, ix->file.head, sizeof(head)))
		return ix->file.wal ? check_wal(ix, err) : 0;
	return carom_error_set(err, CAROM_FAULT_IO, -EAGAIN,
		"%s: has been changed since it was opened; open it again", carom_reader_path(rd));
}
