/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that the flow cache has tagged for `learn`; a test run cannot set the tag. */
#ifndef TESTS_BPF_TAGGED_H
#define TESTS_BPF_TAGGED_H

#include "tests/bpf/model.h"

#define TAG 0x6179 /* FLOW_TAG of bpf/lib/flow.h */

/* A program that tags the packet with `tag` and goes on to `program`.  Its descriptor. */
static inline int tagged_program(int program, int tag)
{
	int next = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "next", 4, 4, 1, NULL), r;
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = tag },
		{ .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_2,
		  .off = offsetof(struct __sk_buff, tc_index) },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = next },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	uint32_t zero = 0;

	assert_true(next >= 0);
	r = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tag", "GPL", code, ARRAY_SIZE(code), NULL);
	assert_true(r >= 0);
	/* the map is emptied once nobody has it open, so it stays open as long as the test lives */
	assert_int_equal(bpf_map_update_elem(next, &zero, &program, 0), 0);
	return r;
}

#endif
