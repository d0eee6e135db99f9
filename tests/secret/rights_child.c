// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights.h"

static struct engine_walker chase;

int rights_setup(void **state)
{
	(void)state;
	vm_load(&chase, "chase");
	return 0;
}

int rights_teardown(void **state)
{
	(void)state;
	assert_int_equal(vm_info().nr_sessions, 0);
	engine_unload(&chase);
	unlink(CHASE);
	return 0;
}

int rights_begin(void **state)
{
	(void)state;
	vm_chase_file(CHASE, CHASE_NODE_SIZE, NODES);
	assert_sys(chown(CHASE, ALICE, ALICE));
	assert_sys(chmod(CHASE, 0644));
	assert_sys(chmod("/dev/carom", 0666));
	return 0;
}

int rights_end(void **state)
{
	(void)state;
	assert_sys(chmod("/dev/carom", 0600));
	/* Whatever was tried, nothing holds on to the file. */
	close(vm_open(CHASE, O_RDWR));
	assert_int_equal(vm_info().nr_sessions, 0);
	return 0;
}

int become(unsigned int id)
{
	return setgroups(0, NULL) || setgid(id) || setuid(id);
}

int in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_sys(pid);
	if (!pid)
		_exit(fn(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int seal(const char *path)
{
	struct carom_open arg = vm_chase_arg();
	int ret, file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return SAID_CANNOT_OPEN_FILE;
	ret = open("/dev/carom", O_RDWR | O_CLOEXEC);
	if (ret < 0)
		return SAID_CANNOT_OPEN_DEVICE;
	close(ret);
	ret = engine_ioctl_open(file, &arg);
	if (ret >= 0)
		return SAID_SEALED;
	return arg.refusal && ret == -EPERM ? (int)arg.refusal : SAID_OTHER_ERROR;
}
