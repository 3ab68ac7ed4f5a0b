// SPDX-License-Identifier: GPL-2.0-or-later
/* The page: its form in both formats, and what it says of links and probes. */
#include "metrics_lab.h"
#include "run/metrics_page.h"
#include <ctype.h>
#include <errno.h>

static const char conf[] =
	"link wan1 { device = \"eth1\" weight = 2 probe { ping = {\"9.9.9.9\", \"2620:fe::fe\"}\n"
	"	http = \"http://example.org/?a=1\" quorum = 1 } }\n"
	"link wan2 { device = \"eth2\" }\n";
#define LIVE                                                                                       \
	"device eth1 index 2 up carrier ethernet\n"                                                \
	"addr eth1 100.64.1.2/24\n"                                                                \
	"route default via 100.64.1.1 dev eth1\n"
static const char machine[] = LIVE "id wan1 7 down\n"
				   "id wan2 9 up\n";

static char *print(const struct lab *l, enum metrics_format format)
{
	struct metrics_view view = lab_view(l);
	struct str out = {};

	assert_int_equal(metrics_print(&view, format, &out), 0);
	return out.s;
}

/* Whether the page has this line. */
static bool has(const char *page, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = page; (at = strstr(at, line)); at += len)
		if ((at == page || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static bool has_sample(const char *page, const char *series)
{
	char text[512];

	snprintf(text, sizeof(text), "\n%s ", series);
	return strstr(page, text);
}

#define ASSERT_LINE(page, line)                                                                    \
	do {                                                                                       \
		if (!has(page, line))                                                              \
			fail_msg("no line %s in\n%s", line, page);                                 \
	} while (0)

/* --- form */

struct form {
	enum metrics_format format;
	char family[128], type[16];
	char seen[64][128]; /* families */
	size_t n_seen;
	char *series[4096];
	size_t n_series;
};

static void read_help(struct form *f, const char *line)
{
	char help[256];

	assert_int_equal(sscanf(line, "# HELP %127s %255[^\n]", f->family, help), 2);
	assert_null(strchr(help, '\\'));
	assert_null(strchr(help, '"'));
	for (size_t i = 0; i < f->n_seen; i++)
		assert_string_not_equal(f->seen[i], f->family);
	assert_true(f->n_seen < ARRAY_SIZE(f->seen));
	strcpy(f->seen[f->n_seen++], f->family);
	*f->type = 0;
}

static void read_comment(struct form *f, const char *line)
{
	char family[128] = "", unit[16];

	if (!strncmp(line, "# HELP ", 7)) {
		read_help(f, line);
	} else if (sscanf(line, "# UNIT %127s %15s", family, unit) == 2) {
		assert_int_equal(f->format, METRICS_OPEN);
		assert_string_equal(family, f->family);
		assert_string_equal(family + strlen(family) - strlen(unit), unit);
	} else {
		assert_int_equal(sscanf(line, "# TYPE %127s %15s", family, f->type), 2);
		assert_string_equal(family, f->family);
	}
}

static const char *suffix(const struct form *f)
{
	if (f->format == METRICS_TEXT)
		return "";
	return !strcmp(f->type, "counter") ? "_total" : !strcmp(f->type, "info") ? "_info" : "";
}

/* Behind the labels that begin here. */
static const char *read_labels(const char *s)
{
	do {
		s++;
		assert_true(isalpha(*s));
		s += strspn(s, "abcdefghijklmnopqrstuvwxyz_");
		assert_memory_equal(s, "=\"", 2);
		for (s += 2; *s != '"'; s++) {
			assert_true(*s && *s != '\n');
			if (*s == '\\')
				assert_non_null(strchr("\\\"n", *++s));
		}
		s++;
	} while (*s == ',');
	assert_int_equal(*s, '}');
	return s + 1;
}

static void read_sample(struct form *f, const char *line)
{
	size_t len = strcspn(line, "{ ");
	const char *s = line + len;
	char name[256], *end;

	snprintf(name, sizeof(name), "%s%s", f->family, suffix(f));
	assert_true(*f->type);
	if (strlen(name) != len || memcmp(name, line, len))
		fail_msg("%s in family %s, a %s", line, f->family, f->type);
	if (!strcmp(f->type, "counter"))
		assert_memory_equal(s - 6, "_total", 6);
	if (*s == '{')
		s = read_labels(s);
	assert_true(f->n_series < ARRAY_SIZE(f->series));
	f->series[f->n_series++] = strndup(line, s - line);
	assert_int_equal(*s, ' ');
	assert_true(strtod(s, &end) >= 0);
	assert_true(end > s && !*end);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_form(const char *page, enum metrics_format format)
{
	struct form f = {.format = format};
	_cleanup_free_ char *copy = strdup(page);
	char *save, *line = strtok_r(copy, "\n", &save);
	bool ended = false;

	assert_int_equal(page[strlen(page) - 1], '\n');
	for (; line; line = strtok_r(NULL, "\n", &save)) {
		assert_false(ended);
		ended = format == METRICS_OPEN && !strcmp(line, "# EOF");
		if (!ended)
			(*line == '#' ? read_comment : read_sample)(&f, line);
	}
	assert_int_equal(ended, format == METRICS_OPEN);
	qsort(f.series, f.n_series, sizeof(*f.series), by_text);
	for (size_t i = 0; i < f.n_series; i++) {
		if (i && !strcmp(f.series[i], f.series[i - 1]))
			fail_msg("twice: %s", f.series[i]);
		if (i)
			free(f.series[i - 1]);
	}
	free(f.series[f.n_series - 1]);
}

static void test_form(void **state)
{
	struct lab *l = lab_new(conf, machine);

	for (enum metrics_format f = 0; f < METRICS_FORMAT_MAX; f++) {
		_cleanup_free_ char *page = print(l, f);

		check_form(page, f);
	}
	lab_free(l);
}

/* Names and URLs hold none of these today, so by the page's own means. */
static void test_escapes(void **state)
{
	struct str out = {};
	struct page p = {.out = &out};

	page_family(&p, "x", PAGE_GAUGE, "X");
	page_count(&p, PAGE_LABELS(&p, "a", "q\"b\\n\nl", "b", ""), UINT64_MAX);
	page_value(&p, PAGE_LABELS(&p, "c", "\xc3\xa4"), 1.0 / 4096);
	page_value(&p, "", 0.07);
	page_end(&p);
	assert_string_equal(out.s, "# HELP asymbpf_x X.\n# TYPE asymbpf_x gauge\n"
				   "asymbpf_x{a=\"q\\\"b\\\\n\\nl\",b=\"\"} 18446744073709551615\n"
				   "asymbpf_x{c=\"\xc3\xa4\"} 0.000244140625\n"
				   "asymbpf_x 0.07\n");
	str_done(&out);
	str_done(&p.labels);
}

static void test_types(void **state)
{
	struct lab *l = lab_new(conf, machine);
	_cleanup_free_ char *text = print(l, METRICS_TEXT), *open = print(l, METRICS_OPEN);

	ASSERT_LINE(text, "# TYPE asymbpf_events_total counter");
	ASSERT_LINE(text, "# TYPE asymbpf_build_info gauge");
	ASSERT_LINE(open, "# TYPE asymbpf_events counter");
	ASSERT_LINE(open, "# TYPE asymbpf_build info");
	ASSERT_LINE(open, "# UNIT asymbpf_probe_latency_seconds seconds");
	assert_null(strstr(text, "# UNIT"));
	assert_non_null(strstr(text, "\nasymbpf_build_info{version=\""));
	lab_free(l);
}

/* --- what it says */

static void test_links(void **state)
{
	struct lab *l = lab_new(conf, machine);
	_cleanup_free_ char *page = print(l, METRICS_TEXT);

	ASSERT_LINE(page, "asymbpf_link_up{link=\"wan1\",device=\"eth1\",family=\"ipv4\"} 0");
	ASSERT_LINE(page, "asymbpf_link_state{link=\"wan1\",family=\"ipv4\",state=\"down\","
			  "reason=\"forced\"} 1");
	ASSERT_LINE(page, "asymbpf_link_state{link=\"wan2\",family=\"ipv6\",state=\"down\","
			  "reason=\"no-device\"} 1");
	ASSERT_LINE(page, "asymbpf_link_forced{link=\"wan1\",state=\"down\"} 1");
	ASSERT_LINE(page, "asymbpf_link_forced{link=\"wan1\",state=\"up\"} 0");
	ASSERT_LINE(page, "asymbpf_link_forced{link=\"wan2\",state=\"up\"} 1");
	lab_free(l);
}

static void test_live(void **state)
{
	struct lab *l = lab_new(conf, LIVE);
	_cleanup_free_ char *page = NULL;

	l->tracker.tracks[0]->health.reason = HEALTH_ANSWERS;
	l->tracker.tracks[0]->health.degraded = true;
	page = print(l, METRICS_TEXT);
	ASSERT_LINE(page, "asymbpf_link_up{link=\"wan1\",device=\"eth1\",family=\"ipv4\"} 1");
	ASSERT_LINE(page, "asymbpf_link_degraded{link=\"wan1\",device=\"eth1\",family=\"ipv4\"} 1");
	ASSERT_LINE(page, "asymbpf_link_state{link=\"wan1\",family=\"ipv4\",state=\"up\","
			  "reason=\"answers\"} 1");
	lab_free(l);
}

#define PING "{link=\"wan1\",family=\"ipv4\",kind=\"ping\",target=\"9.9.9.9\"}"
#define URL "{link=\"wan1\",family=\"ipv4\",kind=\"http\",target=\"http://example.org/?a=1\"}"

/* A round: 20 ms or lost by ping, 40 ms by HTTP. */
static void round_of(struct health *h, uint32_t ping_us, uint64_t now)
{
	uint32_t round = health_round(h, now);

	assert_true(round);
	health_result(h, round, 0, ping_us, now + 20000000);
	health_result(h, round, 1, 40000, now + 40000000);
}

static void test_probes(void **state)
{
	struct lab *l = lab_new(conf, machine);
	struct health *h = &l->tracker.tracks[0]->health;
	_cleanup_free_ char *before = print(l, METRICS_TEXT), *page = NULL;

	assert_int_equal(h->n, 2);
	ASSERT_LINE(before, "asymbpf_probes_sent_total" PING " 0");
	assert_false(has_sample(before, "asymbpf_probe_loss_ratio" PING));
	assert_false(has_sample(before, "asymbpf_probe_latency_seconds" PING));
	assert_false(has_sample(before, "asymbpf_probe_answers" PING));
	round_of(h, 10000, 1);
	round_of(h, 30000, 3600000000000);
	round_of(h, 0, 7200000000000);
	page = print(l, METRICS_TEXT);
	ASSERT_LINE(page, "asymbpf_probes_sent_total" PING " 3");
	ASSERT_LINE(page, "asymbpf_probes_lost_total" PING " 1");
	ASSERT_LINE(page, "asymbpf_probe_loss_ratio" PING " 0.33");
	ASSERT_LINE(page, "asymbpf_probe_latency_seconds" PING " 0.02");
	ASSERT_LINE(page, "asymbpf_probe_jitter_seconds" PING " 0.02");
	ASSERT_LINE(page, "asymbpf_probe_answers" PING " 0");
	ASSERT_LINE(page, "asymbpf_probe_latency_seconds" URL " 0.04");
	ASSERT_LINE(page, "asymbpf_probe_answers" URL " 1");
	lab_free(l);
}

/* Two URLs that differ only beyond what is shown of them are one series. */
static void test_long_urls(void **state)
{
	char text[2048], path[400];
	struct lab *l;
	_cleanup_free_ char *page = NULL;

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = 0;
	snprintf(text, sizeof(text), "link wan1 { device = \"eth1\" probe { http = {"
		 "\"http://a.example/%s1\", \"http://a.example/%s2\"} quorum = 1 } }\n", path, path);
	l = lab_new(text, machine);
	assert_int_equal(l->tracker.tracks[0]->health.n, 2);
	page = print(l, METRICS_TEXT);
	check_form(page, METRICS_TEXT);
	lab_free(l);
}

static void test_events(void **state)
{
	struct lab *l = lab_new(conf, machine);
	_cleanup_free_ char *page = NULL;

	events_send(&l->events, &(struct event){.kind = EVENT_REPAIR});
	events_send(&l->events, &(struct event){.kind = EVENT_REPAIR});
	page = print(l, METRICS_TEXT);
	ASSERT_LINE(page, "asymbpf_events_total{event=\"repair\"} 2");
	ASSERT_LINE(page, "asymbpf_events_total{event=\"link\"} 0");
	lab_free(l);
}

/* --- Accept */

static void test_accept(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format want;
	} cases[] = {
		{NULL, METRICS_TEXT},
		{"", METRICS_TEXT},
		{"*/*", METRICS_TEXT},
		{"text/plain", METRICS_TEXT},
		{"application/openmetrics-text", METRICS_OPEN},
		{"Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", METRICS_OPEN},
		{"application/openmetrics-text;version=0.0.1", METRICS_OPEN},
		{"application/openmetrics-text; version=2.0.0", METRICS_TEXT},
		{"application/openmetrics-text;version=1.0.0;q=0", METRICS_TEXT},
		{"application/openmetrics-text;q=0.5,text/plain;q=0.4", METRICS_OPEN},
		{"application/openmetrics-text;q=0.4, text/plain;q=0.5", METRICS_TEXT},
		{"text/*;q=0.9 , application/openmetrics-text ; q=0.3", METRICS_TEXT},
		/* Prometheus 2.42 and 3.0 */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
		 "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", METRICS_OPEN},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
		 "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
		 "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", METRICS_OPEN},
		{"application/openmetrics-textual", METRICS_TEXT},
		{"application/openmetrics-tex", METRICS_TEXT},
		{";,;;,q=1,=,application/openmetrics-text;q=", METRICS_TEXT},
		{"application/openmetrics-text;q=nan", METRICS_TEXT},
		{"application/openmetrics-text;", METRICS_OPEN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (metrics_format(cases[i].accept) != cases[i].want)
			fail_msg("Accept: %s", cases[i].accept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_long_urls),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
