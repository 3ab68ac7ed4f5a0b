// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/probe_echo.h"
#include "base/defs.h"
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/socket.h>

/* linux/icmp.h, which netinet/ip_icmp.h excludes */
#define ICMP_FILTER_OPTION 1

#define LOAD_BYTE(where) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, where)
#define LOAD_HALF(where) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, where)
#define X_BYTE(where) BPF_STMT(BPF_LD | BPF_B | BPF_IND, where)
#define X_HALF(where) BPF_STMT(BPF_LD | BPF_H | BPF_IND, where)
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define TAKE BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define LEAVE BPF_STMT(BPF_RET | BPF_K, 0)

/* A packet begins with the IP header. */
static int filter4(int fd, uint16_t id)
{
	struct icmp_filter_bits { uint32_t data; } types = {
		~(1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH | 1U << ICMP_TIME_EXCEEDED)
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* X = length of the IP header */
		X_BYTE(offsetof(struct echo, type)),
		IF_EQUAL(ICMP_ECHOREPLY, 0, 2),
		X_HALF(offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 4, 5),
		X_BYTE(ECHO_QUOTED4 + offsetof(struct echo, type)),
		IF_EQUAL(ICMP_ECHO, 0, 3),
		X_HALF(ECHO_QUOTED4 + offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 0, 1),
		TAKE,
		LEAVE,
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (setsockopt(fd, SOL_RAW, ICMP_FILTER_OPTION, &types, sizeof(types)) ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	return 0;
}

/* A packet begins with the ICMPv6 header. */
static int filter6(int fd, uint16_t id)
{
	struct icmp6_filter types;
	struct sock_filter code[] = {
		LOAD_BYTE(offsetof(struct echo, type)),
		IF_EQUAL(ICMP6_ECHO_REPLY, 0, 2),
		LOAD_HALF(offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 4, 5),
		LOAD_BYTE(ECHO_QUOTED6 + offsetof(struct echo, type)),
		IF_EQUAL(ICMP6_ECHO_REQUEST, 0, 3),
		LOAD_HALF(ECHO_QUOTED6 + offsetof(struct echo, id)),
		IF_EQUAL(ntohs(id), 0, 1),
		TAKE,
		LEAVE,
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	ICMP6_FILTER_SETBLOCKALL(&types);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types);
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &types);
	ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &types);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof(types)) ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	return 0;
}

int echo_filter(int fd, int family, uint16_t id)
{
	return family == AF_INET ? filter4(fd, id) : filter6(fd, id);
}
