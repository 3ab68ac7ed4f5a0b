/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prober CONFIG [-n ROUNDS]: sends every link's probes, as the daemon would, so many rounds (1) at
 * the links' intervals, and prints what came of them: "LINK KIND TARGET RESULT COUNT", where RESULT is
 * "answered", "left-out" or why not.  Links begin at different times.  SIGUSR1 has it read the
 * machine's devices and addresses again.
 */
#include "apply/snapshot.h"
#include "core/config.h"
#include "core/plan.h"
#include "run/probe.h"
#include <errno.h>
#include <getopt.h>
#include <string.h>

#define RESULTS 8
#define WHY 64

/* One target of one link. */
struct asked {
	struct line *line;
	const struct model_target *target;
	struct {
		char what[WHY];
		unsigned int n;
	} results[RESULTS];
};

struct line {
	uv_timer_t timer;
	size_t link;
	unsigned int rounds;
	struct asked *asked;
};

static struct model model;
static struct plan plan;
static struct host host;
static struct prober *prober;
static struct line *lines;
static unsigned int rounds = 1, running;
static uv_signal_t again;
static uv_async_t over;

static void die(int r, const char *what)
{
	fprintf(stderr, "prober: %s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static void look(void)
{
	int r;

	plan_done(&plan);
	host_done(&host);
	memset(&plan, 0, sizeof(plan));
	memset(&host, 0, sizeof(host));
	r = snapshot_take(&host);
	r = r ?: plan_build(&plan, &model, &host, NULL, 0);
	if (r)
		die(r, "plan");
}

static void on_again(uv_signal_t *s, int signal)
{
	look();
}

static struct probe_path path_of(const struct plan_link *l)
{
	struct probe_path p = { .ifindex = l->ifindex, .ethernet = l->ethernet,
				.mark = plan_mark(&plan, plan.reserved[PLAN_PROBE]) };

	snprintf(p.device, sizeof(p.device), "%s", l->conf->device);
	memcpy(p.source, l->addr, sizeof(p.source));
	memcpy(p.gateway, l->gateway, sizeof(p.gateway));
	return p;
}

static void count(struct asked *a, const char *what)
{
	char word[WHY];
	size_t i = 0;

	snprintf(word, sizeof(word), "%s", what);
	for (char *c = word; *c; c++)
		*c = *c == ' ' ? '-' : *c;
	while (i < RESULTS - 1 && *a->results[i].what && strcmp(a->results[i].what, word))
		i++;
	memcpy(a->results[i].what, word, sizeof(word));
	a->results[i].n++;
}

static void on_over(uv_async_t *a)
{
	prober_close(prober);
	uv_close((uv_handle_t *)&again, NULL);
	uv_close((uv_handle_t *)a, NULL);
}

/* Not here: a probe's end is no place to close the prober. */
static void ended(void)
{
	if (!--running)
		uv_async_send(&over);
}

static void on_end(void *data, uint32_t rtt_us, const char *why)
{
	count(data, rtt_us ? "answered" : why);
	ended();
}

static void ask(struct line *l, struct asked *a)
{
	struct probe_path path = path_of(&plan.links[l->link]);
	struct probe *probe;
	int r = probe_start(prober, &path, a->target, &model.links[l->link].probe, on_end, a,
			    &probe);

	if (r)
		count(a, r == -EOPNOTSUPP ? "left-out" : strerror(-r));
	else
		running++;
}

static void on_timer(uv_timer_t *timer)
{
	struct line *l = timer->data;

	for (size_t i = 0; i < model.links[l->link].probe.n; i++)
		ask(l, &l->asked[i]);
	if (++l->rounds < rounds)
		return;
	uv_close((uv_handle_t *)timer, NULL);
	ended();
}

static void begin(uv_loop_t *loop)
{
	lines = calloc(model.n_links, sizeof(*lines));
	for (size_t i = 0; i < model.n_links; i++) {
		const struct model_probe *p = &model.links[i].probe;

		lines[i].link = i;
		lines[i].asked = calloc(p->n, sizeof(*lines[i].asked));
		for (size_t k = 0; k < p->n; k++)
			lines[i].asked[k].target = &p->targets[k];
		uv_timer_init(loop, &lines[i].timer);
		lines[i].timer.data = &lines[i];
		uv_timer_start(&lines[i].timer, on_timer, p->interval_ms * i / model.n_links,
			       p->interval_ms);
		running++;
	}
}

static void print_target(const struct model_target *t)
{
	char addr[ADDR_STRLEN];

	printf(" %s ", model_probe_names[t->kind]);
	if (t->url)
		printf("%s", t->url);
	else if (t->kind == PROBE_GATEWAY)
		printf("%s", t->family == ASYM_V4 ? "ipv4" : "ipv6");
	else if (!t->port)
		printf("%s", addr_str(&t->addr, addr));
	else
		printf(t->family == ASYM_V4 ? "%s:%u" : "[%s]:%u", addr_str(&t->addr, addr), t->port);
}

static void print_asked(const char *link, const struct asked *a)
{
	for (size_t i = 0; i < RESULTS && a->results[i].n; i++) {
		printf("%s", link);
		print_target(a->target);
		printf(" %s %u\n", a->results[i].what, a->results[i].n);
	}
}

static void read_model(const char *path)
{
	struct findings f = { 0 };
	int r;

	model_init(&model);
	r = config_read(&model, path, &f);
	for (size_t i = 0; i < f.n; i++)
		fprintf(stderr, "prober: line %d: %s\n", f.items[i].line, f.items[i].text);
	r = r ?: model_add_defaults(&model);
	if (r)
		die(r, path);
	findings_done(&f);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	int opt;

	while ((opt = getopt(argc, argv, "n:")) > 0)
		if (opt == 'n')
			rounds = (unsigned int)atoi(optarg);
	if (!argv[optind])
		die(-EINVAL, "prober CONFIG [-n ROUNDS]");
	read_model(argv[optind]);
	look();
	if (prober_open(loop, &prober))
		die(-ENOMEM, "prober_open");
	uv_async_init(loop, &over, on_over);
	uv_signal_init(loop, &again);
	uv_signal_start(&again, on_again, SIGUSR1);
	begin(loop);
	uv_run(loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < model.n_links; i++)
		for (size_t k = 0; k < model.links[i].probe.n; k++)
			print_asked(model.links[i].name, &lines[i].asked[k]);
	for (size_t i = 0; i < model.n_links; i++)
		free(lines[i].asked);
	free(lines);
	plan_done(&plan);
	host_done(&host);
	model_done(&model);
	return uv_loop_close(loop) ? EXIT_FAILURE : EXIT_SUCCESS;
}
