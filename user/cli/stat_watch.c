// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics again and again. On a terminal they have its other screen, which is left, with
 * the settings that there were, however this ends; elsewhere one follows the other.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include "stat.h"

/**
 * struct screen - a terminal that is ours for a while
 * @terminal: stdout is one
 * @keys: so is stdin, and @before how it was set
 * @signals: a descriptor of those that end this, or stop it
 */
struct screen {
	bool terminal;
	bool keys;
	struct termios before;
	int signals;
	sigset_t mask;
};

static void screen_take(struct screen *sc)
{
	struct termios raw = sc->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (sc->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	if (sc->terminal)
		fputs("\033[?1049h\033[?25l", stdout);
	fflush(stdout);
}

static void screen_leave(const struct screen *sc)
{
	if (sc->terminal)
		fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (sc->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &sc->before);
}

static bool screen_open(struct screen *sc)
{
	memset(sc, 0, sizeof(*sc));
	sigemptyset(&sc->mask);
	sigaddset(&sc->mask, SIGINT);
	sigaddset(&sc->mask, SIGTERM);
	sigaddset(&sc->mask, SIGHUP);
	sigaddset(&sc->mask, SIGTSTP);
	sigaddset(&sc->mask, SIGWINCH);
	sc->signals = signalfd(-1, &sc->mask, SFD_CLOEXEC);
	if (sc->signals < 0 || sigprocmask(SIG_BLOCK, &sc->mask, NULL))
		return false;
	sc->terminal = isatty(STDOUT_FILENO);
	sc->keys = sc->terminal && !tcgetattr(STDIN_FILENO, &sc->before);
	screen_take(sc);
	return true;
}

static void screen_close(struct screen *sc)
{
	screen_leave(sc);
	close(sc->signals);
	sigprocmask(SIG_UNBLOCK, &sc->mask, NULL);
}

/* Stopped as any program is, with the terminal as it was. */
static void screen_stop(struct screen *sc)
{
	sigset_t stop;

	screen_leave(sc);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	screen_take(sc);
}

/* What somebody wants: 0 nothing that ends this, or the signal that does; SIGINT for q. */
static int screen_event(struct screen *sc, const struct pollfd *fds)
{
	struct signalfd_siginfo info;
	char key;

	if (fds[0].revents && read(sc->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			screen_stop(sc);
		else if (info.ssi_signo != SIGWINCH)
			return (int)info.ssi_signo;
	}
	if (fds[1].revents) {
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 4)
			sc->keys = false;
		else if (key == 'q' || key == 'Q')
			return SIGINT;
	}
	return 0;
}

static int screen_wait(struct screen *sc, double seconds)
{
	struct pollfd fds[2] = {
		{ .fd = sc->signals, .events = POLLIN },
		{ .fd = sc->keys ? STDIN_FILENO : -1, .events = POLLIN },
	};

	if (poll(fds, 2, (int)(seconds * 1000)) <= 0)
		return 0;
	return screen_event(sc, fds);
}

static unsigned int screen_rows(const struct screen *sc)
{
	struct winsize size;

	if (!sc->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return UINT32_MAX;
	return size.ws_row;
}

/* Each line ends what an older one has left of it; none goes on in the next one. */
static void screen_show(const struct screen *sc, const struct stat_sample *s,
			const struct stat_sample *old)
{
	if (!sc->terminal) {
		stat_text(stdout, s, old, UINT32_MAX);
		putchar('\n');
	} else {
		fputs("\033[H\033[2J\033[?7l", stdout);
		stat_text(stdout, s, old, screen_rows(sc));
		fputs("\033[?7h", stdout);
	}
	fflush(stdout);
}

/* Returns an exit status, with *@sig the signal that ended this, if one has. */
static enum cli_exit watch(struct screen *sc, const struct stat_watch *w, char *error,
			   size_t size, int *sig)
{
	struct stat_sample old, s;
	enum cli_exit exit;
	unsigned int n;

	exit = stat_read(w->root, &s, error, size);
	if (exit)
		return exit;
	screen_show(sc, &s, NULL);
	for (n = 1; !ferror(stdout) && (!w->count || n < w->count); n++) {
		*sig = screen_wait(sc, w->interval);
		if (*sig)
			break;
		old = s;
		exit = stat_read(w->root, &s, error, size);
		if (!exit)
			screen_show(sc, &s, &old);
		stat_free(&old);
		if (exit)
			break;
	}
	stat_free(&s);
	return exit;
}

int stat_watch(const struct cli *cli, const struct stat_watch *w)
{
	struct screen sc;
	char error[1024];
	enum cli_exit exit;
	int sig = 0;

	if (!screen_open(&sc))
		return cli_fail(cli, CLI_IO, "signals cannot be waited for: %s", strerror(errno));
	exit = watch(&sc, w, error, sizeof(error), &sig);
	screen_close(&sc);
	if (exit)
		return cli_fail(cli, exit, "%s", error);
	/* A shell that runs this in a loop should know; ^C and q are how one leaves. */
	if (sig && sig != SIGINT)
		raise(sig);
	return cli_flush(CLI_OK);
}
