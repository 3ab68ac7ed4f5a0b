/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel by hand: what it holds and how it answers; for the other kernel_*.h alone. */
#ifndef TESTS_UNIT_KERNEL_ANSWER_H
#define TESTS_UNIT_KERNEL_ANSWER_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/str.h"
#include "kmod/uapi/nft_asym.h"
#include "nl/kmod.h"
#include "nl/nft.h"

#define KERNEL_ROOM (16 << 10)
#define KERNEL_FD 100000 /* no file */
#define KERNEL_NONE 0xffff

static struct kernel {
	bool there, on_disk; /* the module */
	uint32_t abi, features;
	const char *version;
	struct kmod_policy policies[ASYM_MAX_POLICIES];
	bool held[ASYM_MAX_POLICIES];

	/* faults */
	int torn, lost, interrupted; /* so many dumps or receptions */
	uint16_t omit;		     /* attribute of the module's answers */
	uint16_t resize, resize_to;  /* likewise; its length */
	int cut;		     /* length of an answer behind nlmsghdr, -1: as it is */
	bool silent;		     /* no answer but the verdict */
	bool mute;		     /* no verdict */
	bool stray;		     /* others' answers before ours */
	bool broken;		     /* the end of a datagram is missing */
	bool forged;		     /* a process answers first, with zeros */
	bool huge;		     /* a datagram before ours is larger than any */
	bool echoes;		     /* refusals have the request within (no NETLINK_CAP_ACK) */
	int dump_err;		     /* that a list ends with */
	int leaving;		     /* so many torn lists of families; then the module is gone */
	bool nameless;		     /* the controller knows the module's name, but no number */
	int nft_torn;		     /* so many lists of tables, chains, rules */
	int refuse;		     /* -errno of this command for this policy */
	uint8_t refuse_command;
	uint32_t refuse_number, refuse_more; /* and so many after it */
	int refused;			     /* so far */
	const char *refuse_expr; /* rules with this expression are refused, -ENOENT or so */
	int refuse_expr_err;

	/* nftables: messages as they were sent */
	struct kernel_message {
		struct nlmsghdr *h;
	} *pending, *table;
	size_t n_pending, n_table;

	struct str log;
	int open;
} kernel;

struct mnl_socket {
	int bus;
	struct kernel_datagram {
		char *data;
		size_t len;
		int err;
		uint32_t from; /* port; 0: the kernel */
	} *queue;
	size_t n, next;
};

static struct mnl_socket *kernel_sockets[8];

static inline struct kernel_datagram *kernel_post(struct mnl_socket *s, const void *data,
						  size_t len, int err)
{
	struct kernel_datagram *d = ARRAY_ADD(s->queue, s->n);

	assert_non_null(d);
	d->err = err;
	d->len = len;
	d->data = malloc(len + 1);
	assert_non_null(d->data);
	if (len)
		memcpy(d->data, data, len);
	return d;
}

/* The number of the socket's port, as mnl_socket_get_portid says. */
static inline uint32_t kernel_port(const struct mnl_socket *s)
{
	return 77;
}

static inline struct nlmsghdr *kernel_answer(char *buf, const struct nlmsghdr *request,
					     const struct mnl_socket *s, uint16_t type)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(memset(buf, 0, KERNEL_ROOM));

	h->nlmsg_type = type;
	h->nlmsg_seq = request->nlmsg_seq;
	h->nlmsg_pid = kernel_port(s);
	return h;
}

/* With the kernel's words, as extended ack. */
static inline void kernel_verdict(struct mnl_socket *s, const struct nlmsghdr *request, int err,
				  const char *text)
{
	static char buf[KERNEL_ROOM];
	struct nlmsghdr *h = kernel_answer(buf, request, s, NLMSG_ERROR);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(h, sizeof(*e));
	size_t rest = request->nlmsg_len - sizeof(*request);

	*e = (struct nlmsgerr){.error = err, .msg = *request};
	if (kernel.echoes && err)
		memcpy(mnl_nlmsg_put_extra_header(h, rest), request + 1, rest);
	h->nlmsg_flags = (kernel.echoes ? 0 : NLM_F_CAPPED) | (text ? NLM_F_ACK_TLVS : 0);
	if (text)
		mnl_attr_put_strz(h, NLMSGERR_ATTR_MSG, text);
	kernel_post(s, h, h->nlmsg_len, 0);
}

static inline void kernel_dump_end(struct mnl_socket *s, const struct nlmsghdr *request, int err)
{
	char buf[KERNEL_ROOM];
	struct nlmsghdr *h = kernel_answer(buf, request, s, NLMSG_DONE);
	int *verdict = mnl_nlmsg_put_extra_header(h, sizeof(*verdict));

	*verdict = err;
	h->nlmsg_flags = NLM_F_MULTI | (err ? NLM_F_ACK_TLVS : 0);
	if (err)
		mnl_attr_put_strz(h, NLMSGERR_ATTR_MSG, "so far and no further");
	kernel_post(s, h, h->nlmsg_len, 0);
}

static inline bool kernel_is_dump(const struct nlmsghdr *h)
{
	return (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

#endif
