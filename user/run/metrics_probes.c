// SPDX-License-Identifier: GPL-2.0-or-later
/* Of probes: a row for each target of each link. */
#include "run/metrics_parts.h"
#include <errno.h>
#include <string.h>

struct row {
	char *labels;
	struct health_figures figures;
	bool answers;
	uint64_t sent, lost;
};

struct rows {
	struct row *items;
	size_t n;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		free(rows->items[i].labels);
	free(rows->items);
}

/* A gateway's address is no name for it: with another lease the series would end. */
static const char *target_labels(struct page *p, const struct track *t, size_t target)
{
	enum model_probe_kind kind = t->health.targets[target].conf->kind;
	char text[TRACKER_TARGET] = "gateway";

	if (kind != PROBE_GATEWAY)
		tracker_target_text(t, target, text);
	return PAGE_LABELS(p, "link", t->conf->name, "family", part_families[t->family], "kind",
			   model_probe_names[kind], "target", text);
}

/* Long URLs are cut, and two samples of one name would spoil the page. */
static bool is_twice(const struct rows *rows, size_t first, const char *labels)
{
	for (size_t i = first; i < rows->n; i++)
		if (!strcmp(rows->items[i].labels, labels))
			return true;
	return false;
}

static void add_row(struct rows *rows, const struct health *h, size_t target, const char *labels)
{
	char *copy = strdup(labels);
	struct row *row = copy ? ARRAY_ADD(rows->items, rows->n) : NULL;

	if (!row) {
		free(copy);
		return;
	}
	*row = (struct row){
		.labels = copy,
		.figures = health_figures(h, target),
		.answers = h->targets[target].answers,
		.sent = h->targets[target].sent,
		.lost = h->targets[target].lost,
	};
}

static void collect(struct page *p, const struct tracker *tracker, struct rows *ret)
{
	for (size_t i = 0; i < tracker->n; i++) {
		const struct track *t = tracker->tracks[i];
		size_t first = ret->n;

		for (size_t k = 0; k < t->health.n; k++) {
			const char *labels = target_labels(p, t, k);

			if (!is_twice(ret, first, labels))
				add_row(ret, &t->health, k, labels);
		}
	}
}

/* Returns whether there is something to tell. */
typedef bool value_of(const struct row *row, double *ret);

static bool loss(const struct row *row, double *ret)
{
	*ret = row->figures.loss / 100.0;
	return row->figures.n;
}

static bool latency(const struct row *row, double *ret)
{
	*ret = row->figures.latency_us / 1e6;
	return row->figures.latency_us;
}

static bool jitter(const struct row *row, double *ret)
{
	*ret = row->figures.jitter_us / 1e6;
	return row->figures.latency_us;
}

static bool answers(const struct row *row, double *ret)
{
	*ret = row->answers;
	return row->figures.n;
}

static bool sent(const struct row *row, double *ret)
{
	*ret = row->sent;
	return true;
}

static bool lost(const struct row *row, double *ret)
{
	*ret = row->lost;
	return true;
}

void part_probes(struct page *p, const struct metrics_view *v)
{
	static const struct {
		const char *name, *help;
		enum page_type type;
		value_of *value;
	} families[] = {
		{"probe_answers", "Whether the target answered the last probe", PAGE_GAUGE, answers},
		{"probe_loss_ratio", "Part of the probes in the window that were not answered",
		 PAGE_GAUGE, loss},
		{"probe_latency_seconds", "Mean time to the answer, over the window", PAGE_GAUGE,
		 latency},
		{"probe_jitter_seconds", "Mean difference from one answer's time to the next's",
		 PAGE_GAUGE, jitter},
		{"probes_sent", "Probes that were sent", PAGE_COUNTER, sent},
		{"probes_lost", "Probes that were not answered in time", PAGE_COUNTER, lost},
	};
	_cleanup_(rows_done) struct rows rows = {};
	double value;

	collect(p, v->tracker, &rows);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		page_family(p, families[i].name, families[i].type, families[i].help);
		for (size_t k = 0; k < rows.n; k++)
			if (families[i].value(&rows.items[k], &value))
				page_value(p, rows.items[k].labels, value);
	}
}
