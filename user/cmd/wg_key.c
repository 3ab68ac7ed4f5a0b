// SPDX-License-Identifier: GPL-2.0-or-later
/* wg genkey: X25519 keys (RFC 7748) as WireGuard writes them; the arithmetic is OpenSSL's. */
#include "base/log.h"
#include "cmd/wg.h"
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* A private key for as long as it is needed. */
struct secret {
	uint8_t key[MESH_KEY];
	char text[MESH_KEY_TEXT + 1];
};

static void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

/* RFC 7748 section 5: a multiple of 8, the highest bit that counts set. */
static void clamp(uint8_t key[MESH_KEY])
{
	key[0] &= 248;
	key[31] = (key[31] & 127) | 64;
}

static int print_private(void)
{
	_cleanup_(secret_wipe) struct secret s;

	if (getrandom(s.key, sizeof(s.key), 0) != sizeof(s.key))
		return log_err(-errno, "no random bytes");
	clamp(s.key);
	mesh_key_text(s.key, s.text);
	puts(s.text);
	return 0;
}

static void pkey_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

int wg_public_key(const uint8_t private_key[MESH_KEY], uint8_t ret[MESH_KEY])
{
	_cleanup_(pkey_free) EVP_PKEY *key =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, MESH_KEY);
	size_t len = MESH_KEY;

	if (!key || EVP_PKEY_get_raw_public_key(key, ret, &len) != 1 || len != MESH_KEY)
		return -EIO;
	return 0;
}

/* One line, with or without its end. */
static int read_private(struct secret *s, FILE *from)
{
	size_t n = fread(s->text, 1, sizeof(s->text), from);

	if (n == MESH_KEY_TEXT && s->text[n - 1] == '\n')
		n--;
	if (n != MESH_KEY_TEXT - 1)
		return -EINVAL;
	s->text[n] = 0;
	return mesh_key_parse(s->text, s->key);
}

static void warn_mode(const char *path, FILE *f)
{
	struct stat st;

	if (!fstat(fileno(f), &st) && S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO))
		log_warn("others can use the private key \"%s\" (mode %04o), see chmod(1)", path,
			 st.st_mode & 07777);
}

int wg_read_key(const char *path, uint8_t ret[MESH_KEY])
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_(secret_wipe) struct secret s;
	int r;

	if (!f)
		return log_err(-errno, "cannot open \"%s\"", path);
	setvbuf(f, NULL, _IONBF, 0); /* no copy of the key */
	warn_mode(path, f);
	r = read_private(&s, f);
	if (r) {
		log_error("%s holds no private key, expected 44 characters of base64", path);
		return r;
	}
	memcpy(ret, s.key, MESH_KEY);
	return 0;
}

static int print_public(void)
{
	_cleanup_(secret_wipe) struct secret s;
	uint8_t public_key[MESH_KEY];
	char text[MESH_KEY_TEXT];
	int r = read_private(&s, stdin);

	if (r) {
		log_error("stdin holds no private key, expected 44 characters of base64");
		return r;
	}
	r = wg_public_key(s.key, public_key);
	if (r)
		return log_err(r, "cannot derive the public key");
	mesh_key_text(public_key, text);
	puts(text);
	return 0;
}

int wg_genkey(const struct command *self, int argc, char **argv)
{
	struct options o;
	int status;

	if (options_parse(&o, self, argc, argv, &status))
		goto out;
	if (o.n_args)
		status = options_wrong(self, "what is \"%s\"?", o.args[0]);
	else
		status = (o.public_key ? print_public() : print_private()) ? STATUS_FAILURE
									   : STATUS_OK;
out:
	options_done(&o);
	return status;
}
