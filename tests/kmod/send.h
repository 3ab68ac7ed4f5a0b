/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that send packets for as long as something else is done, and what the kernel needs for
 * all that. */
#ifndef TESTS_KMOD_SEND_H
#define TESTS_KMOD_SEND_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#define SENDERS 2
#define PORT 9

static atomic_bool senders_end;

/* Datagrams to many addresses of this machine, where nobody listens. */
static inline void send_some(int fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET,
		                         .sin_port = htons(PORT),
		                         .sin_addr.s_addr =
		                                 htonl(0x0a010001 + (i * 7919 & 0xffff))};

		sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
}

static inline void send_datagrams(unsigned int n)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	send_some(fd, n);
}

/* ns */
static inline int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Rests for as long as it sent, or nobody else would get on where a packet takes milliseconds. */
static inline void *sender(void *arg)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	atomic_ulong *sent = arg;

	while (!senders_end) {
		int64_t took = -clock_now();

		send_some(fd, 64);
		*sent += 64;
		took += clock_now();
		nanosleep(&(struct timespec){took / 1000000000, took % 1000000000}, NULL);
	}
	return NULL;
}

struct senders {
	pthread_t threads[SENDERS];
	atomic_ulong sent[SENDERS];
};

static inline void senders_start(struct senders *s)
{
	senders_end = false;
	for (int i = 0; i < SENDERS; i++) {
		s->sent[i] = 0;
		assert_int_equal(pthread_create(&s->threads[i], NULL, sender, &s->sent[i]), 0);
	}
}

static inline void senders_stop(struct senders *s)
{
	senders_end = true;
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(s->threads[i], NULL);
		print_message("# sender %d: %lu packets\n", i, (unsigned long)s->sent[i]);
		assert_true(s->sent[i]);
	}
}

/* The number that a command prints. */
static inline unsigned long number_in(const char *command)
{
	FILE *f = popen(command, "r");
	unsigned long n = 0;
	int got = fscanf(f, "%lu", &n);

	pclose(f);
	assert_int_equal(got, 1);
	return n;
}

/* In KiB, what a policy that is forgotten would be part of. */
static inline unsigned long kernel_memory(void)
{
	return number_in("awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { n += $2 } END { print n }' "
	                 "/proc/meminfo");
}

#endif
