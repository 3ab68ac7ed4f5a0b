// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of wg-quick(8).  Whoever has put a private key into one keeps it when the file is written
 * anew. */
#include "base/file.h"
#include "base/log.h"
#include "cmd/wg.h"
#include <errno.h>
#include <string.h>

#define MAX_FILE (1 << 20)

/* The key of an older file, in ret; false: there is none. */
static bool find_key(const char *path, char ret[MESH_KEY_TEXT])
{
	_cleanup_free_ char *text = NULL;
	uint8_t key[MESH_KEY];
	const char *at;
	size_t len;
	bool found;

	if (file_read(path, MAX_FILE, &text, &len))
		return false;
	at = strstr(text, "\nPrivateKey = ");
	if (at)
		snprintf(ret, MESH_KEY_TEXT, "%s", at + strlen("\nPrivateKey = "));
	found = at && !mesh_key_parse(ret, key);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, len);
	return found;
}

static int write_file(const struct mesh_plan *p, const struct mesh_tunnel *t, const char *dir)
{
	_cleanup_(str_done) struct str text = {};
	_cleanup_free_ char *path = NULL;
	char key[MESH_KEY_TEXT];
	int r;

	if (asprintf(&path, "%s/%s.conf", dir, t->device) < 0)
		return log_err(-ENOMEM, "wg plan");
	mesh_quick_text(p, t, find_key(path, key) ? key : NULL, &text);
	explicit_bzero(key, sizeof(key));
	r = text.err ?: file_replace(path, text.s, text.len);
	if (r)
		log_err(r, "cannot write \"%s\"", path);
	if (text.s)
		explicit_bzero(text.s, text.len);
	return r;
}

int wg_quick_write(const struct mesh_plan *p, const char *dir)
{
	int r = file_mkdirs(dir);

	if (r)
		return log_err(r, "cannot make the directory \"%s\"", dir);
	for (size_t i = 0; i < p->n_tunnels && !r; i++)
		r = write_file(p, &p->tunnels[i], dir);
	return r;
}
