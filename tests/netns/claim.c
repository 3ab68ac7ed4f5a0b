/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim CGROUP: puts a program on the cgroup's hook of connect(2) by IPv4 that wants no others beside it, so
 * that the kernel refuses these; it stays.  claim -d CGROUP: takes it off.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool.h"

static int call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* return 1 (go on) */
static int load_program(void)
{
	const struct bpf_insn code[] = {
		{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
			       .expected_attach_type = BPF_CGROUP_INET4_CONNECT,
			       .insn_cnt = sizeof(code) / sizeof(*code),
			       .insns = (uintptr_t)code,
			       .license = (uintptr_t) "GPL",
			       .prog_name = "test_claim"};

	return call(BPF_PROG_LOAD, &attr);
}

int main(int argc, char **argv)
{
	bool off = argc == 3 && !strcmp(argv[1], "-d");
	int cgroup = open(argc > 1 ? argv[argc - 1] : "", O_RDONLY | O_DIRECTORY);
	union bpf_attr attr = {.target_fd = (uint32_t)cgroup,
			       .attach_bpf_fd = off ? 0 : (uint32_t)load_program(),
			       .attach_type = BPF_CGROUP_INET4_CONNECT};

	if (cgroup < 0)
		die(argc > 1 ? argv[argc - 1] : "claim");
	if (call(off ? BPF_PROG_DETACH : BPF_PROG_ATTACH, &attr))
		die("claim");
	return EXIT_SUCCESS;
}
