// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * getaddrinfo() blocks, for many seconds when no server answers.  It runs in a thread that shares
 * nothing with us but a socket, so that nobody has to wait for it, not even the end of the process;
 * libuv and libcurl wait for theirs.
 */
#include "run/probe_name.h"
#include "base/clock.h"
#include "base/defs.h"
#include "base/str.h"
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define NAME_SIZE 256
#define FRESH_NS (60 * NS_PER_S)   /* then it is asked again */
#define ABSENT_NS NS_PER_S	   /* the same, when there was no answer */
#define UNUSED_NS (3600 * NS_PER_S) /* then it is forgotten */

struct probe_name {
	struct probe_name *next;
	char host[NAME_SIZE];
	enum asym_family family;
	struct probe_io *io; /* NULL: nobody asks at the moment */
	struct name_addrs addrs;
	struct name_wait *waiting;
	uint64_t heard_ns, used_ns;
};

/* -------- the thread */

struct question {
	char host[NAME_SIZE];
	enum asym_family family;
	int fd; /* where the answer goes */
};

static void take_addrs(const struct addrinfo *list, struct name_addrs *ret)
{
	for (; list && ret->n < NAME_ADDRS; list = list->ai_next) {
		const union addr_socket *a = (const union addr_socket *)list->ai_addr;

		ret->addr[ret->n++] = list->ai_family == AF_INET ?
			addr_from_wire(AF_INET, &a->in.sin_addr) : a->in6.sin6_addr;
	}
}

static void *resolve(void *data)
{
	struct question *q = data;
	struct addrinfo hints = { .ai_family = q->family == ASYM_V4 ? AF_INET : AF_INET6,
				  .ai_socktype = SOCK_STREAM }, *list = NULL;
	struct name_addrs a = { 0 };

	if (!getaddrinfo(q->host, NULL, &hints, &list)) {
		take_addrs(list, &a);
		freeaddrinfo(list);
	}
	send(q->fd, &a, sizeof(a), MSG_NOSIGNAL);
	close(q->fd);
	free(q);
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
	r = pthread_create(&thread, &attr, resolve, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

/* -------- questions and answers */

static void tell(struct probe_name *n)
{
	/* those that come while they are told find an answer or hear that there is none */
	while (n->waiting) {
		struct name_wait *w = n->waiting;

		name_leave(w);
		w->known(w, n->addrs.n ? &n->addrs : NULL);
	}
}

static void on_answer(void *data, int fd, bool failed)
{
	struct probe_name *n = data;
	struct name_addrs a;

	if (recv(fd, &a, sizeof(a), 0) == sizeof(a) && a.n)
		n->addrs = a;
	n->heard_ns = uv_hrtime();
	probe_io_close(TAKE_PTR(n->io));
	tell(n);
}

static int ask(struct prober *p, struct probe_name *n)
{
	_cleanup_free_ struct question *q = calloc(1, sizeof(*q));
	int fds[2], r;

	if (!q)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	memcpy(q->host, n->host, sizeof(q->host));
	q->family = n->family;
	q->fd = fds[1];
	r = start_thread(q);
	if (r) {
		close(fds[1]);
	} else {
		TAKE_PTR(q);
		r = probe_io_open(p, &fds[0], UV_READABLE, on_answer, n, &n->io);
	}
	cleanup_close(&fds[0]);
	return r;
}

/* -------- names */

static void forget(struct probe_name **names, uint64_t now)
{
	while (*names) {
		struct probe_name *n = *names;

		if (n->waiting || n->io || now - n->used_ns < UNUSED_NS) {
			names = &n->next;
			continue;
		}
		*names = n->next;
		free(n);
	}
}

static struct probe_name *name_get(struct prober *p, const char *host, enum asym_family family)
{
	struct probe_name *n = p->names;

	while (n && (n->family != family || strcmp(n->host, host)))
		n = n->next;
	if (n)
		return n;
	forget(&p->names, uv_hrtime());
	n = calloc(1, sizeof(*n));
	if (!n || str_copy(n->host, sizeof(n->host), host)) {
		free(n);
		return NULL;
	}
	n->family = family;
	n->next = p->names;
	p->names = n;
	return n;
}

static void wait_for(struct probe_name *n, struct name_wait *w)
{
	w->name = n;
	w->next = n->waiting;
	w->prev = &n->waiting;
	if (w->next)
		w->next->prev = &w->next;
	n->waiting = w;
}

void name_leave(struct name_wait *w)
{
	if (!w->name)
		return;
	w->name = NULL;
	*w->prev = w->next;
	if (w->next)
		w->next->prev = w->prev;
}

int name_ask(struct prober *p, const char *host, enum asym_family family, struct name_wait *w,
	     struct name_addrs *ret)
{
	struct probe_name *n = name_get(p, host, family);
	uint64_t now = uv_hrtime();
	int r = 0;

	if (!n)
		return -ENOMEM;
	n->used_ns = now;
	if (!n->io && (!n->heard_ns || now - n->heard_ns > (n->addrs.n ? FRESH_NS : ABSENT_NS)))
		r = ask(p, n);
	if (n->addrs.n) {
		*ret = n->addrs;
		return 0;
	}
	if (r || !n->io)
		return r ?: -ENODATA;
	wait_for(n, w);
	return -EINPROGRESS;
}

void names_close(struct prober *p)
{
	while (p->names) {
		struct probe_name *n = p->names;

		p->names = n->next;
		probe_io_close(n->io);
		free(n);
	}
}
