/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcx DEVICE: a program at the end of those on the device's tcx ingress that counts packets and passes
 * them on.  Says "on" when it is there; at the end of its input takes it off and says how many it saw.
 *
 * tcx -f DEVICE: such programs at all places of its tcx egress, until the end of its input.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS_HOOK 46 /* BPF_TCX_INGRESS, since Linux 6.6 */
#define TCX_EGRESS_HOOK 47
#define PLACES 64 /* BPF_MPROG_MAX */

static int call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 1};

	return call(BPF_MAP_CREATE, &attr);
}

/* map[0]++; return -1 (the next program decides). */
static int load_program(int map)
{
	const struct bpf_insn code[] = {
		{BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_VALUE, 0, map},
		{0},
		{BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 1},
		{BPF_STX | BPF_DW | BPF_ATOMIC, 1, 2, 0, BPF_ADD},
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SCHED_CLS,
			       .insn_cnt = sizeof(code) / sizeof(*code),
			       .insns = (uintptr_t)code,
			       .license = (uintptr_t) "GPL",
			       .prog_name = "test_count"};

	return call(BPF_PROG_LOAD, &attr);
}

static int hook(int command, const char *device, int program, uint32_t type)
{
	union bpf_attr attr = {.target_fd = if_nametoindex(device),
			       .attach_bpf_fd = (uint32_t)program,
			       .attach_type = type};

	return call(command, &attr);
}

static uint64_t counted(int map)
{
	uint64_t n = 0;
	uint32_t zero = 0;
	union bpf_attr attr = {.map_fd = (uint32_t)map,
			       .key = (uintptr_t)&zero,
			       .value = (uintptr_t)&n};

	call(BPF_MAP_LOOKUP_ELEM, &attr);
	return n;
}

static void wait_for_the_end(void)
{
	char input[64];

	puts("on");
	fflush(stdout);
	while (read(STDIN_FILENO, input, sizeof(input)) > 0)
		;
}

static int fill(const char *device)
{
	int map = make_map(), programs[PLACES + 1], n = 0;

	for (; n <= PLACES; n++) {
		programs[n] = load_program(map);
		if (hook(BPF_PROG_ATTACH, device, programs[n], TCX_EGRESS_HOOK))
			break;
	}
	if (!n || n > PLACES || errno != ERANGE) {
		perror(device);
		return 1;
	}
	wait_for_the_end();
	while (n--)
		hook(BPF_PROG_DETACH, device, programs[n], TCX_EGRESS_HOOK);
	return 0;
}

int main(int argc, char **argv)
{
	int map, program;

	if (argc == 3 && !strcmp(argv[1], "-f"))
		return fill(argv[2]);
	map = make_map();
	program = load_program(map);
	if (argc != 2 || program < 0) {
		perror("tcx");
		return 1;
	}
	if (hook(BPF_PROG_ATTACH, argv[1], program, TCX_INGRESS_HOOK)) {
		perror(argv[1]);
		return 1;
	}
	wait_for_the_end();
	hook(BPF_PROG_DETACH, argv[1], program, TCX_INGRESS_HOOK);
	printf("%llu\n", (unsigned long long)counted(map));
	return 0;
}
