// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/resolver.h"

#include "base/defs.h"
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

struct question {
	char *host;
	int family;
	int fd; /* where the answer goes */
};

static void question_free(struct question *q)
{
	free(q->host);
	close(q->fd);
	free(q);
}

static void *answer(void *data)
{
	struct question *q = data;
	struct resolved a;

	resolve(q->host, q->family, &a);
	send(q->fd, &a, sizeof(a), MSG_NOSIGNAL);
	question_free(q);
	return NULL;
}

/* Signals are the loop's. */
static int start_thread(struct question *q)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, answer, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

int resolver_ask(const char *host, int family, int *ret_fd)
{
	struct question *q = calloc(1, sizeof(*q));
	int fds[2], r;

	if (!q)
		return -ENOMEM;
	*q = (struct question){.host = strdup(host), .family = family, .fd = -1};
	r = !q->host ? -ENOMEM :
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) ? -errno : 0;
	if (r) {
		free(q->host);
		free(q);
		return r;
	}
	q->fd = fds[1];
	r = start_thread(q);
	if (r) {
		question_free(q);
		close(fds[0]);
		return r;
	}
	*ret_fd = fds[0];
	return 0;
}

void resolver_take(int fd, struct resolved *ret)
{
	if (recv(fd, ret, sizeof(*ret), MSG_DONTWAIT) != sizeof(*ret))
		*ret = (struct resolved){.error = EAI_AGAIN};
}

/* -------- in a loop */

struct asking {
	uv_poll_t poll;
	int fd;
	void (*answered)(void *data, const struct resolved *a);
	void *data;
};

static void closed(uv_handle_t *handle)
{
	struct asking *a = handle->data;

	close(a->fd);
	free(a);
}

void asking_end(struct asking *a)
{
	if (a)
		uv_close((uv_handle_t *)&a->poll, closed);
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct asking *a = poll->data;
	struct resolved found;

	resolver_take(a->fd, &found);
	asking_end(a);
	a->answered(a->data, &found);
}

int asking_begin(uv_loop_t *loop, const char *host,
		 void (*answered)(void *data, const struct resolved *a), void *data,
		 struct asking **ret)
{
	struct asking *a = calloc(1, sizeof(*a));
	int r = a ? resolver_ask(host, AF_UNSPEC, &a->fd) : -ENOMEM;

	if (r) {
		free(a);
		return r;
	}
	a->answered = answered;
	a->data = data;
	r = uv_poll_init(loop, &a->poll, a->fd);
	if (r) {
		close(a->fd);
		free(a);
		return r;
	}
	a->poll.data = a;
	uv_poll_start(&a->poll, UV_READABLE, readable);
	*ret = a;
	return 0;
}
