/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs [-d] DEVICE...: the programs on the tcx hooks of devices, one line each: "DEVICE HOOK NAME".
 * -d: takes them off.
 */
#include <linux/bpf.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS 46 /* BPF_TCX_INGRESS, since Linux 6.6 */
#define MAX 64

/* The kernel's union may have grown since the headers. */
union attr {
	union bpf_attr bpf;
	char room[256];
};

static int call(int command, union attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(attr->bpf));
}

static int program_by_id(uint32_t id)
{
	union attr attr = {0};

	attr.bpf.prog_id = id;
	return call(BPF_PROG_GET_FD_BY_ID, &attr);
}

static void show(const char *device, int hook, int program)
{
	struct bpf_prog_info info = {0};
	union attr attr = {0};

	attr.bpf.info.bpf_fd = (uint32_t)program;
	attr.bpf.info.info_len = sizeof(info);
	attr.bpf.info.info = (uintptr_t)&info;
	call(BPF_OBJ_GET_INFO_BY_FD, &attr);
	printf("%s %s %s\n", device, hook == TCX_INGRESS ? "ingress" : "egress", info.name);
}

static void detach(unsigned int ifindex, int hook, int program)
{
	union attr attr = {0};

	attr.bpf.target_fd = ifindex;
	attr.bpf.attach_bpf_fd = (uint32_t)program;
	attr.bpf.attach_type = hook;
	if (call(BPF_PROG_DETACH, &attr))
		perror("programs");
}

static void walk(const char *device, int hook, bool remove)
{
	uint32_t ids[MAX];
	union attr attr = {0};
	unsigned int ifindex = if_nametoindex(device);

	attr.bpf.query.target_fd = ifindex;
	attr.bpf.query.attach_type = hook;
	attr.bpf.query.prog_ids = (uintptr_t)ids;
	attr.bpf.query.prog_cnt = MAX;
	if (!ifindex || call(BPF_PROG_QUERY, &attr))
		return;
	for (uint32_t i = 0; i < attr.bpf.query.prog_cnt; i++) {
		int program = program_by_id(ids[i]);

		if (remove)
			detach(ifindex, hook, program);
		else
			show(device, hook, program);
		close(program);
	}
}

int main(int argc, char **argv)
{
	bool remove = argc > 1 && !strcmp(argv[1], "-d");

	for (int i = remove ? 2 : 1; i < argc; i++)
		for (int hook = TCX_INGRESS; hook <= TCX_INGRESS + 1; hook++)
			walk(argv[i], hook, remove);
	return 0;
}
