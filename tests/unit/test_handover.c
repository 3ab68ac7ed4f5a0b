// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the kernel module hands connections over: it is loaded, and found by its type
 * information. */
#include "tests/unit/kernel_lab.h"

#include "apply/handover.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>

/* What the kernel has of type information, in place of bpf(2): ids 1.., in order. */
struct information {
	const char *name;
	bool program; /* of one, else the kernel's and its modules' */
	bool gone;    /* before one gets to it */
};

static const struct information *all;
static uint32_t n_all;
static int left_open;

int bpf_btf_get_next_id(uint32_t start_id, uint32_t *next_id)
{
	if (start_id >= n_all)
		return -ENOENT;
	*next_id = start_id + 1;
	return 0;
}

/* Something to close; the number tells which. */
int bpf_btf_get_fd_by_id(uint32_t id)
{
	assert_true(id >= 1 && id <= n_all);
	if (all[id - 1].gone)
		return -ENOENT;
	left_open = (int)id;
	return dup(STDERR_FILENO);
}

/* As btf_get_info_by_fd in the kernel's kernel/bpf/btf.c. */
int bpf_obj_get_info_by_fd(int fd, void *data, uint32_t *len)
{
	const struct information *i = &all[left_open - 1];
	struct bpf_btf_info *info = data;
	size_t room = info->name_len;
	char *name = (char *)(uintptr_t)info->name;

	assert_int_equal(*len, sizeof(*info));
	info->kernel_btf = !i->program;
	info->name_len = (uint32_t)strlen(i->name);
	if (room > strlen(i->name)) {
		strcpy(name, i->name);
		return 0;
	}
	memcpy(name, i->name, room - 1);
	name[room - 1] = '\0';
	return -ENOSPC;
}

static bool offered(const struct information *list, uint32_t n)
{
	all = list;
	n_all = n;
	kernel.there = false;
	kernel.on_disk = true;
	return handover_is_offered();
}

static void test_offered(void **state)
{
	static const struct information list[] = {
		{.name = "vmlinux"}, {.name = "nf_tables"}, {.name = "asymbpf"}, {.name = "veth"},
	};
	int free_before = dup(STDERR_FILENO), free_after;

	close(free_before);
	assert_true(offered(list, 4));
	assert_asked("load info ");
	assert_true(kernel.there);
	assert_true(offered(list, 3));
	assert_false(offered(list, 2));
	assert_false(offered(NULL, 0));
	free_after = dup(STDERR_FILENO);
	close(free_after);
	assert_int_equal(free_after, free_before);
}

static void test_not_used(void **state)
{
	static const struct information list[] = {{.name = "asymbpf"}};

	assert_true(offered(list, 1));
	kernel.features = ASYM_FEATURE_NFT;
	assert_false(offered(list, 1));
	kernel.features |= ASYM_FEATURE_OFFLOAD;
	kernel.abi++;
	assert_false(offered(list, 1));
	kernel.abi--;
	assert_true(offered(list, 1));
	kernel.refuse_command = ASYM_CMD_GET_INFO;
	kernel.refuse = -EPERM;
	assert_false(offered(list, 1));
}

/* Programs have names, too; others only begin like ours, or ours like them. */
static void test_not_ours(void **state)
{
	static const struct information list[] = {
		{.name = "vmlinux"},  {.name = "asymbpf", .program = true}, {.name = "asymbpf2"},
		{.name = "asymbp"},   {.name = "a_module_with_a_long_name"}, {.name = ""},
		{.name = "asymbpf", .gone = true},
	};

	assert_false(offered(list, ARRAY_SIZE(list)));
}

/* One that goes meanwhile does not end the search. */
static void test_gone(void **state)
{
	static const struct information list[] = {{.name = "veth", .gone = true},
						   {.name = "asymbpf"}};

	assert_true(offered(list, ARRAY_SIZE(list)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kernel_test(test_offered),
		kernel_test(test_not_used),
		kernel_test(test_not_ours),
		kernel_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
