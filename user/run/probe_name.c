// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/probe_name.h"
#include "base/clock.h"
#include "base/defs.h"
#include "base/str.h"
#include "run/resolver.h"
#include <errno.h>
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

static void take_addrs(const struct resolved *a, struct name_addrs *ret)
{
	ret->n = MIN(a->n, (uint32_t)NAME_ADDRS);
	for (uint32_t i = 0; i < ret->n; i++)
		ret->addr[i] = a->addr[i].sa.sa_family == AF_INET ?
			addr_from_wire(AF_INET, &a->addr[i].in.sin_addr) : a->addr[i].in6.sin6_addr;
}

static void on_answer(void *data, int fd, bool failed)
{
	struct probe_name *n = data;
	struct resolved a;

	resolver_take(fd, &a);
	if (a.n)
		take_addrs(&a, &n->addrs);
	n->heard_ns = uv_hrtime();
	probe_io_close(TAKE_PTR(n->io));
	tell(n);
}

static int ask(struct prober *p, struct probe_name *n)
{
	int fd = -1, r = resolver_ask(n->host, n->family == ASYM_V4 ? AF_INET : AF_INET6, &fd);

	r = r ?: probe_io_open(p, &fd, UV_READABLE, on_answer, n, &n->io);
	cleanup_close(&fd);
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
