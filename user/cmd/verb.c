// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/verb.h"

#include "apply/netns.h"
#include "base/log.h"
#include "cmd/progress.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool have_capability(unsigned int which)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[which / 32].effective >> (which % 32) & 1;
}

/* BPF needs its own capability since Linux 5.8, finding programs by id needs CAP_SYS_ADMIN. */
int verb_privileged(const char *verb)
{
	static const struct {
		unsigned int cap;
		const char *name;
	} needed[] = {{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!have_capability(needed[i].cap)) {
			log_error("%s needs the capability %s, run it as root", verb,
				  needed[i].name);
			r = -EPERM;
		}
	return r;
}

static int no_argument(const struct command *self, const struct options *o)
{
	return o->n_args ? options_wrong(self, "what is \"%s\"?", o->args[0]) : STATUS_OK;
}

static int run_remote(const struct options *o, const struct verb *verb)
{
	struct session s = {.lock = -1};
	int r = netns_cookie(&s.cookie);

	if (r)
		return log_err(r, "cannot tell the network namespace (Linux 5.14 or later)");
	return verb->body(&s, o);
}

static int run_body(const struct command *self, const struct options *o, const struct verb *verb)
{
	struct session s;
	int r = verb_privileged(self->name);

	if (r)
		return r;
	r = session_open(&s, verb->lock);
	if (!r && verb->planned)
		r = session_plan(&s);
	if (!r && verb->running && !s.running) {
		log_error("no program of asymbpf runs, asymbpf reload puts them back");
		r = -ENOENT;
	}
	r = r ?: verb->body(&s, o);
	session_close(&s);
	return r;
}

int verb_run(const struct command *self, int argc, char **argv, const struct verb *verb)
{
	struct options o;
	int status, r;

	if (options_parse(&o, self, argc, argv, &status))
		goto out;
	status = verb->usage ? verb->usage(self, &o) : no_argument(self, &o);
	if (status)
		goto out;
	do {
		r = verb->remote ? run_remote(&o, verb) : run_body(self, &o, verb);
	} while (!r && verb->again && verb->again(&o));
	status = r == -EDOM ? STATUS_USAGE : r ? STATUS_FAILURE : STATUS_OK;
out:
	options_done(&o);
	return status;
}

static int stay(const struct command *self, const struct options *o,
		int (*run)(const struct load *told, bool json))
{
	const struct load told = {.config = o->config, .flags = o->flags, .n_flags = o->n_flags,
				  .progress = progress};
	int r;

	if (o->n_args)
		return options_wrong(self, "what is \"%s\"? links are named by --iface",
				     o->args[0]);
	if (verb_privileged(self->name))
		return STATUS_FAILURE;
	r = run(&told, o->json);
	return r == -EDOM ? STATUS_USAGE : r ? STATUS_FAILURE : STATUS_OK;
}

int verb_stay(const struct command *self, int argc, char **argv,
	      int (*run)(const struct load *told, bool json))
{
	struct options o;
	int status;

	if (!options_parse(&o, self, argc, argv, &status))
		status = stay(self, &o, run);
	options_done(&o);
	return status;
}
