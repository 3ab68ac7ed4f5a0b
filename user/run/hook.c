// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/hook.h"

#include "base/defs.h"
#include "run/limit.h"
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* An event as it waits. */
struct call {
	enum event_kind kind;
	int family;
	char link[MODEL_NAME], device[IFNAMSIZ], state[16], reason[32];
};

struct hook {
	struct events *events;
	struct event_sink sink;
	uv_loop_t *loop;
	char *path, *search; /* search: PATH of the program */
	uint32_t timeout_ms;
	/* while nothing runs: begins the next call, so that whoever sends an event does not wait for
	 * fork(2); else the time limit */
	uv_timer_t timer;
	uv_process_t process;
	bool busy;    /* from spawning until the handle is closed */
	bool running; /* there is a process to kill */
	bool killed, closing, timer_closed;
	int trouble;  /* what was complained of last: 0, -errno, or an exit status */
	struct call queue[HOOK_QUEUE];
	size_t first, n;
	uint64_t dropped;
};

static void run_next(struct hook *h);

static void free_when_closed(struct hook *h)
{
	if (!h->closing || h->busy || !h->timer_closed)
		return;
	free(h->path);
	free(h->search);
	free(h);
}

static void complain(struct hook *h, const char *what)
{
	char text[512];

	snprintf(text, sizeof(text), "hook %s: %s", h->path, what);
	events_send(h->events, &(struct event){.kind = EVENT_ERROR, .text = text});
}

/* result: 0, -errno, an exit status, or 128 + a signal. */
static void judge(struct hook *h, int result)
{
	char text[64];

	if (!h->path || result == h->trouble)
		return;
	h->trouble = result;
	if (result == -ETIMEDOUT)
		snprintf(text, sizeof(text), "killed after %u.%u s", h->timeout_ms / 1000,
			 h->timeout_ms / 100 % 10);
	else if (result < 0)
		snprintf(text, sizeof(text), "%s", strerror(-result));
	else if (result > 128)
		snprintf(text, sizeof(text), "ended by signal %d", result - 128);
	else
		snprintf(text, sizeof(text), "ended with status %d", result);
	if (result)
		complain(h, text);
}

static void tell_dropped(struct hook *h)
{
	char text[64];

	if (!h->dropped)
		return;
	snprintf(text, sizeof(text), "too slow, %llu events were dropped",
		 (unsigned long long)h->dropped);
	h->dropped = 0;
	complain(h, text);
}

/* The process. */

static void kill_group(struct hook *h)
{
	kill(-h->process.pid, SIGKILL);
}

static void on_process_closed(uv_handle_t *handle)
{
	struct hook *h = handle->data;

	h->busy = false;
	if (h->closing)
		free_when_closed(h);
	else
		run_next(h);
}

/* The group has no leader any more, but its number is not given out again while it has members. */
static void on_end(uv_process_t *process, int64_t status, int sig)
{
	struct hook *h = process->data;

	h->running = false;
	uv_timer_stop(&h->timer);
	kill_group(h);
	judge(h, h->killed ? -ETIMEDOUT : sig ? 128 + sig : (int)status);
	uv_close((uv_handle_t *)process, on_process_closed);
}

static void on_timer(uv_timer_t *timer)
{
	struct hook *h = timer->data;

	if (!h->busy) {
		run_next(h);
	} else if (h->running) {
		h->killed = true;
		kill_group(h);
	}
}

static int spawn(struct hook *h, char **env)
{
	char *args[] = {h->path, NULL};
	uv_stdio_container_t nowhere[3] = {}; /* UV_IGNORE: /dev/null */
	uv_process_options_t o = {
		.exit_cb = on_end,
		.file = h->path,
		.args = args,
		.env = env,
		.cwd = "/",
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = nowhere,
	};

	bool lowered = limit_lower();
	int r = uv_spawn(h->loop, &h->process, &o);

	limit_restore();
	if (!r && !lowered)
		limit_child(h->process.pid);
	return r;
}

static int spawn_for(struct hook *h, const struct call *c)
{
	char env[6][64];
	char *list[] = {env[0], env[1], env[2], env[3], env[4], env[5], h->search, NULL};

	snprintf(env[0], sizeof(env[0]), "ASYMBPF_EVENT=%s", event_kind_names[c->kind]);
	snprintf(env[1], sizeof(env[1]), "ASYMBPF_LINK=%s", c->link);
	snprintf(env[2], sizeof(env[2]), "ASYMBPF_DEVICE=%s", c->device);
	snprintf(env[3], sizeof(env[3]), "ASYMBPF_FAMILY=%s", event_family_name(c->family) ?: "");
	snprintf(env[4], sizeof(env[4]), "ASYMBPF_STATE=%s", c->state);
	snprintf(env[5], sizeof(env[5]), "ASYMBPF_REASON=%s", c->reason);
	return spawn(h, list);
}

/* A handle that failed to spawn has to be closed, too. */
static void run_next(struct hook *h)
{
	struct call c;
	int r;

	if (!h->n) {
		tell_dropped(h);
		return;
	}
	c = h->queue[h->first];
	h->first = (h->first + 1) % HOOK_QUEUE;
	h->n--;
	h->busy = true;
	h->killed = false;
	h->process.data = h;
	r = spawn_for(h, &c);
	h->running = !r;
	if (r) {
		judge(h, r);
		uv_close((uv_handle_t *)&h->process, on_process_closed);
	} else {
		uv_timer_start(&h->timer, on_timer, h->timeout_ms, 0);
	}
}

/* Events. */

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ?: "");
}

static void on_event(struct event_sink *s, const struct event *e, const char *json, size_t len)
{
	struct hook *h = (struct hook *)((char *)s - offsetof(struct hook, sink));
	struct call *c = &h->queue[(h->first + h->n) % HOOK_QUEUE];

	if (!h->path ||
	    (e->kind != EVENT_LINK && e->kind != EVENT_MANUAL && e->kind != EVENT_RELOAD))
		return;
	if (h->n == HOOK_QUEUE) {
		h->dropped++;
		return;
	}
	h->n++;
	*c = (struct call){.kind = e->kind, .family = e->family};
	copy(c->link, sizeof(c->link), e->link);
	copy(c->device, sizeof(c->device), e->device);
	copy(c->state, sizeof(c->state), e->state);
	copy(c->reason, sizeof(c->reason), e->reason);
	if (!h->busy)
		uv_timer_start(&h->timer, on_timer, 0, 0);
}

int hook_open(uv_loop_t *loop, struct events *events, struct hook **ret)
{
	struct hook *h = calloc(1, sizeof(*h));
	int r;

	if (!h || asprintf(&h->search, "PATH=%s", getenv("PATH") ?: DEFAULT_PATH) < 0) {
		free(h);
		return -ENOMEM;
	}
	r = uv_timer_init(loop, &h->timer);
	if (r) {
		free(h->search);
		free(h);
		return r;
	}
	h->timer.data = h;
	h->loop = loop;
	h->events = events;
	h->sink.take = on_event;
	events_add(events, &h->sink);
	*ret = h;
	return 0;
}

int hook_configure(struct hook *h, const char *path, uint32_t timeout_ms)
{
	char *copied = path ? strdup(path) : NULL;

	if (path && !copied)
		return -ENOMEM;
	if (!path || !h->path || strcmp(path, h->path))
		h->trouble = 0;
	free(h->path);
	h->path = copied;
	h->timeout_ms = timeout_ms;
	if (!path)
		h->n = h->dropped = 0;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct hook *h = handle->data;

	h->timer_closed = true;
	free_when_closed(h);
}

void hook_close(struct hook *h)
{
	if (!h)
		return;
	h->closing = true;
	events_remove(h->events, &h->sink);
	uv_close((uv_handle_t *)&h->timer, on_timer_closed);
	if (!h->running)
		return;
	kill_group(h);
	uv_close((uv_handle_t *)&h->process, on_process_closed);
}
