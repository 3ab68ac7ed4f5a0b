// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inject.h"
#include "traffic.skel.h"
#include "user/base/defs.h"

/* Below the 256 slots of a veth ring, so that a batch fits even when all of it takes one link. */
#define BATCH 64
#define POLL_US 1000
#define PATIENCE 50 /* polls without a new answer */

static struct traffic *traffic;
static clockid_t softirqd_clock;
static bool wall;

static int pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

int inject_init(int cpu, pid_t softirqd)
{
	int r = pin_to(cpu);

	wall = !softirqd;
	if (!r && !wall)
		r = -clock_getcpuclockid(softirqd, &softirqd_clock);
	if (r)
		return r;
	traffic = traffic__open();
	if (!traffic)
		return -errno;
	traffic->rodata->stamp = wall;
	return traffic__load(traffic);
}

void inject_done(void)
{
	traffic__destroy(traffic);
}

int inject_prepare(const struct gateway *gw)
{
	struct gateway_programs progs = {.reflect = bpf_program__fd(traffic->progs.reflect),
	                                 .reflect_tun = bpf_program__fd(traffic->progs.reflect_tun),
	                                 .sink = bpf_program__fd(traffic->progs.sink),
	                                 .wire_out = bpf_program__fd(traffic->progs.wire_out),
	                                 .wire_in = bpf_program__fd(traffic->progs.wire_in),
	                                 .wire_in_tun = bpf_program__fd(traffic->progs.wire_in_tun)};

	return gateway_attach(gw, &progs);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t = {};

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t now_ns(void)
{
	if (wall)
		return clock_ns(CLOCK_MONOTONIC);
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) + clock_ns(softirqd_clock);
}

static int send_frames(const struct gateway *gw, const struct inject_run *run)
{
	struct bpf_program *prog = run->ipv6 ? traffic->progs.generate6 : traffic->progs.generate4;
	__u32 size = run->ipv6 ? TRAFFIC_FRAME6 : TRAFFIC_FRAME4;
	struct xdp_md ctx = {.data_end = size, .ingress_ifindex = gw->lan};
	__u8 frame[TRAFFIC_FRAME6] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size, .ctx_in = &ctx,
	            .ctx_size_in = sizeof(ctx), .repeat = run->packets, .batch_size = BATCH,
	            .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

static void await_answers(uint64_t packets)
{
	const volatile struct traffic_count *count = &traffic->bss->count;
	uint64_t last = 0;

	for (int idle = 0; count->returned < packets && idle < PATIENCE; idle++) {
		if (count->returned != last)
			idle = 0;
		last = count->returned;
		usleep(POLL_US);
	}
}

int inject(const struct gateway *gw, const struct inject_run *run, struct inject_result *ret_result)
{
	uint64_t start;
	int r;

	traffic->bss->order = (struct traffic_order){
		.first = run->first, .flows = run->flows,
		.lan = gw->lan, .wan1 = gw->wan1, .links = gw->links};
	memset(&traffic->bss->count, 0, sizeof(traffic->bss->count));
	start = now_ns();
	r = send_frames(gw, run);
	if (r < 0)
		return r;
	await_answers(run->packets);
	ret_result->count = traffic->bss->count;
	ret_result->ns = (wall ? ret_result->count.last_ns : now_ns()) - start;
	return 0;
}
