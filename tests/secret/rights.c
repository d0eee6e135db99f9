// SPDX-License-Identifier: GPL-2.0
/* Who may seal a file, and who may not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights.h"

static int seal_as(void *arg)
{
	const unsigned int *id = arg;

	return become(*id) ? SAID_CANNOT_BECOME : seal(CHASE);
}

static int sealing_by(unsigned int id)
{
	return in_child(seal_as, &id);
}

static void owners(void **state)
{
	(void)state;
	assert_int_equal(sealing_by(ALICE), SAID_SEALED);
	assert_int_equal(sealing_by(NOBODY), CAROM_REFUSED_NOT_OWNER);
	assert_int_equal(sealing_by(0), SAID_SEALED);
	/* The group may write the file, and yet not seal it. */
	assert_sys(chown(CHASE, ALICE, NOBODY));
	assert_sys(chmod(CHASE, 0664));
	assert_int_equal(sealing_by(NOBODY), CAROM_REFUSED_NOT_OWNER);
	/* Its owner may not even read it. */
	assert_sys(chmod(CHASE, 0200));
	assert_int_equal(sealing_by(ALICE), SAID_CANNOT_OPEN_FILE);
}

static void no_access_to_the_device(void **state)
{
	struct stat st;

	(void)state;
	assert_sys(chmod("/dev/carom", 0600));
	assert_int_equal(sealing_by(ALICE), SAID_CANNOT_OPEN_DEVICE);
	assert_int_equal(sealing_by(NOBODY), SAID_CANNOT_OPEN_DEVICE);
	assert_int_equal(sealing_by(0), SAID_SEALED);
	assert_sys(stat("/dev/carom", &st));
	assert_int_equal(st.st_uid, 0);
}

/* Nobody but for the one capability in @arg. */
static int seal_with_capability(void *arg)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { };
	const unsigned int cap = *(unsigned int *)arg;

	data[cap / 32].effective = data[cap / 32].permitted = 1U << cap % 32;
	if (prctl(PR_SET_KEEPCAPS, 1) || become(NOBODY) || syscall(SYS_capset, &head, data))
		return SAID_CANNOT_BECOME;
	return seal(CHASE);
}

static void capabilities(void **state)
{
	unsigned int cap;

	(void)state;
	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		assert_int_equal(in_child(seal_with_capability, &cap),
				 cap == CAP_FOWNER ? SAID_SEALED : CAROM_REFUSED_NOT_OWNER);
}

/* ---- others who write ---- */

static void reader_of_a_file_that_is_written(void **state)
{
	int fd = vm_open(CHASE, O_RDWR);
	struct carom_open arg = vm_chase_arg();
	int file = vm_open(CHASE, O_RDONLY), session;

	(void)state;
	/* A stranger is told that it is not his before anything else; the owner has to wait. */
	assert_int_equal(sealing_by(NOBODY), CAROM_REFUSED_NOT_OWNER);
	vm_refused_arg(file, &arg, ETXTBSY, CAROM_REFUSED_WRITER, NULL);
	assert_int_equal(pwrite(fd, "x", 1, 8), 1);
	assert_sys(ftruncate(fd, 4096));
	assert_sys(ftruncate(fd, (off_t)NODES * CHASE_NODE_SIZE));
	close(fd);
	session = engine_ioctl_open(file, &arg);
	assert_ok(session);
	assert_errno(open(CHASE, O_RDWR), ETXTBSY);
	close(session);
	close(vm_open(CHASE, O_RDWR));
	close(file);
}

/* ---- user namespaces ---- */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -1;
	err = write(fd, text, strlen(text)) != (ssize_t)strlen(text);
	close(fd);
	return err;
}

/**
 * struct userns - a child in a user namespace of its own
 * @id: who it is before
 * @map: its uid_map, written by root; NULL for none
 */
struct userns {
	unsigned int id;
	const char *map;
	int ready[2], go[2];
};

static int seal_in_userns(void *arg)
{
	struct userns *u = arg;
	char byte = 0;

	if (become(u->id))
		return SAID_CANNOT_BECOME;
	/* Or its maps belong to root, and so does all of /proc/self. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER))
		return SAID_OTHER_ERROR;
	if (write(u->ready[1], &byte, 1) != 1 || read(u->go[0], &byte, 1) != 1)
		return SAID_OTHER_ERROR;
	return seal(CHASE);
}

static int sealing_in_userns(unsigned int id, const char *map)
{
	struct userns u = { .id = id, .map = map };
	char byte = 0, path[64];
	int status;
	pid_t pid;

	assert_sys(pipe(u.ready));
	assert_sys(pipe(u.go));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(u.ready[0]);
		close(u.go[1]);
		_exit(seal_in_userns(&u));
	}
	close(u.ready[1]);
	close(u.go[0]);
	assert_int_equal(read(u.ready[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (map)
		assert_int_equal(write_text(path, map), 0);
	assert_int_equal(write(u.go[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(u.ready[0]);
	close(u.go[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * All capabilities in a namespace are worth nothing for a file whose owner does
 * not exist there; being the owner does not depend on what one is called.
 */
static void user_namespaces(void **state)
{
	(void)state;
	assert_int_equal(sealing_in_userns(NOBODY, NULL), CAROM_REFUSED_NOT_OWNER);
	assert_int_equal(sealing_in_userns(NOBODY, "0 65534 1\n"), CAROM_REFUSED_NOT_OWNER);
	/* Somebody who is called ALICE. */
	assert_int_equal(sealing_in_userns(NOBODY, "1000 65534 1\n"), CAROM_REFUSED_NOT_OWNER);
	assert_int_equal(sealing_in_userns(ALICE, NULL), SAID_SEALED);
	assert_int_equal(sealing_in_userns(ALICE, "0 1000 1\n"), SAID_SEALED);
	/* Root has put ALICE in somebody's charge. */
	assert_int_equal(sealing_in_userns(NOBODY, "0 65534 1\n1 1000 1\n"), SAID_SEALED);
}

/* The same file, on a mount that says it is somebody else's. */
static int idmapped_mount(const char *map)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	char path[64];
	int tree, fd;
	pid_t pid = fork();

	if (!pid) {
		unshare(CLONE_NEWUSER);
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	assert_int_equal(write_text(path, map), 0);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	assert_int_equal(write_text(path, map), 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = vm_open(path, O_RDONLY);
	attr.userns_fd = (__u64)fd;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, VM_DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	assert_sys(tree);
	assert_sys(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return tree;
}

static int seal_at(void *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/rights.chase", *(int *)arg);
	return become(NOBODY) ? SAID_CANNOT_BECOME : seal(path);
}

static void idmapped_mounts(void **state)
{
	int tree;

	(void)state;
	tree = idmapped_mount("1000 65534 1\n");
	assert_int_equal(in_child(seal_at, &tree), SAID_SEALED);
	close(tree);
	tree = idmapped_mount("1000 1001 1\n");
	assert_int_equal(in_child(seal_at, &tree), CAROM_REFUSED_NOT_OWNER);
	close(tree);
	assert_int_equal(sealing_by(NOBODY), CAROM_REFUSED_NOT_OWNER);
}

/* ---- memory ---- */

#define CGROUP		"/tmp/cgroup"
#define CHARGED_SLOTS	64

static long charged(void)
{
	FILE *f = fopen(CGROUP "/carom/memory.current", "re");
	long bytes = -1;

	if (f && fscanf(f, "%ld", &bytes) != 1)
		bytes = -1;
	if (f)
		fclose(f);
	return bytes;
}

/* How many MiB a session adds to what its opener's control group has. */
static int open_in_cgroup(void *arg)
{
	struct carom_open open = vm_chase_arg();
	int file = vm_open(CHASE, O_RDONLY);
	long before;

	(void)arg;
	open.nr_slots = CHARGED_SLOTS;
	open.scratch_size = CAROM_MAX_SCRATCH_SIZE;
	if (write_text(CGROUP "/carom/cgroup.procs", "0"))
		return SAID_CANNOT_BECOME;
	before = charged();
	if (before < 0 || engine_ioctl_open(file, &open) < 0)
		return SAID_OTHER_ERROR;
	return (int)((charged() - before) >> 20);
}

/* Or who may open sessions could take all memory there is. */
static void memory_is_charged(void **state)
{
	int mib;

	(void)state;
	vm_sh("mkdir -p " CGROUP " && mount -t cgroup2 none " CGROUP);
	vm_sh("echo +memory >" CGROUP "/cgroup.subtree_control && mkdir " CGROUP "/carom");
	mib = in_child(open_in_cgroup, NULL);
	vm_sh("rmdir " CGROUP "/carom && umount " CGROUP);
	/* The scratch alone; charges are rounded, too. */
	assert_in_range(mib, CHARGED_SLOTS * CAROM_MAX_SCRATCH_SIZE >> 20, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIGHTS_TEST(owners),
		RIGHTS_TEST(no_access_to_the_device),
		RIGHTS_TEST(capabilities),
		RIGHTS_TEST(reader_of_a_file_that_is_written),
		RIGHTS_TEST(user_namespaces),
		RIGHTS_TEST(memory_is_charged),
		RIGHTS_TEST(idmapped_mounts),
	};

	return cmocka_run_group_tests_name("rights", tests, rights_setup, rights_teardown);
}
