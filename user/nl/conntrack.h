/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that the kernel tracks in this network namespace, and their marks. */
#ifndef NL_CONNTRACK_H
#define NL_CONNTRACK_H

#include "nl/nl.h"
#include <stdint.h>

/*
 * Clears the bits of mask in the mark of every connection; other bits stay.  nl: NETLINK_NETFILTER.
 * *ret_n: how many connections had such bits.  0, also in a kernel without connection tracking, or
 * -errno.  A connection that ends meanwhile is no error.
 */
int conntrack_clear_marks(struct nl *nl, uint32_t mask, size_t *ret_n);

/*
 * Makes conntrack judge the segments of each TCP connection that it knows no more by their windows,
 * for as long as the connection lives: for those whose segments it has missed.  nl:
 * NETLINK_NETFILTER.  0, also in a kernel without connection tracking, or -errno.
 */
int conntrack_make_liberal(struct nl *nl);

/*
 * Deletes the connections of one family (AF_INET, AF_INET6) whose mark, under mask, is `mark`, which is
 * not 0.  nl: NETLINK_NETFILTER.  0, also in a kernel without connection tracking, or -errno.
 */
int conntrack_delete_marked(struct nl *nl, int family, uint32_t mark, uint32_t mask);

/* The same, but only those whose source address is translated: connections that come in, and those of
 * the machine itself, stay. */
int conntrack_delete_translated(struct nl *nl, int family, uint32_t mark, uint32_t mask);

/* Deletes connections of one family without a mark under mask, whose source address is not translated and
 * that nobody has answered yet: their next packet begins them anew.  nl: NETLINK_NETFILTER.  0, also in a
 * kernel without connection tracking, or -errno. */
int conntrack_delete_unanswered(struct nl *nl, int family, uint32_t mask);

/* Asks for something that changes nothing: a kernel that has connection tracking as a module loads
 * it then.  nl: NETLINK_NETFILTER. */
void conntrack_autoload(struct nl *nl);

#endif
