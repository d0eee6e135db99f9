// SPDX-License-Identifier: GPL-2.0
/* A session's descriptor is all that its use takes, wherever it has got to. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rights.h"

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)"x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sock, &msg, 0), 1);
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, 0) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* What the sender tells: the depth of a lookup from the start, and its answer. */
struct question {
	unsigned int depth;
	__u64 id;
};

/* One lookup through a descriptor that is all one has. */
static int ask(int session, const struct question *q)
{
	struct carom_lookup look = { };
	struct chase_query *query;
	const struct chase_node *node;

	query = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, session, CAROM_MMAP_SCRATCH);
	node = mmap(NULL, 4096, PROT_READ, MAP_SHARED, session, CAROM_MMAP_NODES);
	if (query == MAP_FAILED || node == MAP_FAILED)
		return SAID_OTHER_ERROR;
	query->depth = q->depth;
	if (ioctl(session, CAROM_IOC_LOOKUP, &look) || look.end != CAROM_END_DONE)
		return SAID_OTHER_ERROR;
	return query->id == q->id && node->id == q->id ? SAID_RIGHT : SAID_WRONG_ANSWER;
}

struct passed {
	int sock[2];
	struct question q;
};

static int use_what_arrives(void *arg)
{
	struct passed *p = arg;
	char self[32];
	int fd;

	close(p->sock[0]);
	if (become(NOBODY))
		return SAID_CANNOT_BECOME;
	fd = receive_fd(p->sock[1]);
	if (fd < 0)
		return SAID_OTHER_ERROR;
	/* Nothing that could be had before can be had through it. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (open(CHASE, O_RDONLY) >= 0 || open("/dev/carom", O_RDWR) >= 0 ||
	    open(self, O_RDWR) >= 0)
		return SAID_OTHER_ERROR;
	return ask(fd, &p->q);
}

static struct question make_question(unsigned int depth)
{
	struct question q = { .depth = depth };
	int fd = vm_open(CHASE, O_RDONLY);

	assert_ok(chase_expect(fd, 0, depth, &q.id));
	close(fd);
	return q;
}

static int new_session(void)
{
	struct carom_open arg = vm_chase_arg();
	int file = vm_open(CHASE, O_RDONLY), session = engine_ioctl_open(file, &arg);

	close(file);
	assert_ok(session);
	return session;
}

static void passed_over_a_socket(void **state)
{
	struct passed p = { .q = make_question(9) };
	int session;

	(void)state;
	assert_sys(chmod(CHASE, 0600));
	assert_sys(chmod("/dev/carom", 0600));
	session = new_session();
	assert_sys(socketpair(AF_UNIX, SOCK_STREAM, 0, p.sock));
	send_fd(p.sock[0], session);
	/* From here on it exists in the socket only, and holds on to the file there too. */
	close(session);
	assert_errno(open(CHASE, O_RDWR), ETXTBSY);
	assert_int_equal(in_child(use_what_arrives, &p), SAID_RIGHT);
	close(p.sock[0]);
	close(p.sock[1]);
}

/* Sent and never received, it goes when the socket does. */
static void lost_in_a_socket(void **state)
{
	int i, sock[2], session = new_session();

	(void)state;
	assert_sys(socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	send_fd(sock[0], session);
	send_fd(sock[1], sock[0]);
	send_fd(sock[0], sock[1]);
	close(session);
	assert_int_equal(vm_info().nr_sessions, 1);
	/* The sockets hold each other; that is for the kernel's collector to find out. */
	close(sock[0]);
	close(sock[1]);
	for (i = 0; i < 100 && vm_info().nr_sessions; i++) {
		/* It looks when some socket is closed. */
		close(socket(AF_UNIX, SOCK_STREAM, 0));
		vm_sleep_ms(20);
	}
	assert_int_equal(vm_info().nr_sessions, 0);
}

struct heir {
	int session;
	struct question q;
	int done[2];
};

/* The one who opened it goes first, with his privileges; his heir asks on. */
static int open_and_go(void *arg)
{
	struct heir *h = arg;
	char said;

	h->session = new_session();
	if (fork())
		return 0;
	while (getppid() != 1)
		usleep(1000);
	unlink(CHASE);
	said = (char)(become(NOBODY) ? SAID_CANNOT_BECOME : ask(h->session, &h->q));
	if (write(h->done[1], &said, 1) != 1)
		_exit(1);
	_exit(0);
}

static void outlives_its_opener(void **state)
{
	struct heir h = { .q = make_question(7) };
	char said = 0;
	int i;

	(void)state;
	assert_sys(pipe(h.done));
	assert_sys(link(CHASE, CHASE ".link"));
	assert_int_equal(in_child(open_and_go, &h), 0);
	assert_int_equal(read(h.done[0], &said, 1), 1);
	assert_int_equal(said, SAID_RIGHT);
	for (i = 0; i < 100 && vm_info().nr_sessions; i++)
		vm_sleep_ms(20);
	/* Where sealed files can be removed, it was. */
	vm_sh("rm -f " CHASE " && mv " CHASE ".link " CHASE);
	close(h.done[0]);
	close(h.done[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIGHTS_TEST(passed_over_a_socket),
		RIGHTS_TEST(lost_in_a_socket),
		RIGHTS_TEST(outlives_its_opener),
	};

	return cmocka_run_group_tests_name("passed", tests, rights_setup, rights_teardown);
}
