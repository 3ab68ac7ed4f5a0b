// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys in base64 (RFC 4648 section 4): 43 characters and one "=". */
#include "core/mesh.h"
#include <errno.h>
#include <string.h>

#define KEY_CHARS 43

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int mesh_key_parse(const char *text, uint8_t ret[MESH_KEY])
{
	uint8_t key[MESH_KEY + 1];
	uint32_t bits = 0;
	size_t n = 0;

	if (strnlen(text, MESH_KEY_TEXT) != KEY_CHARS + 1 || text[KEY_CHARS] != '=')
		return -EINVAL;
	for (size_t i = 0; i < KEY_CHARS; i++) {
		const char *p = strchr(alphabet, text[i]);

		if (!p)
			return -EINVAL;
		bits = bits << 6 | (p - alphabet);
		if (i % 4) {
			unsigned int left = 6 - 2 * (i % 4);

			key[n++] = bits >> left;
		}
	}
	/* 43 characters are 258 bits: the last two mean nothing and must be 0, or a key had four
	 * texts */
	if (bits & 3)
		return -EINVAL;
	memcpy(ret, key, MESH_KEY);
	explicit_bzero(key, sizeof(key));
	return 0;
}

void mesh_key_text(const uint8_t key[MESH_KEY], char ret[MESH_KEY_TEXT])
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < MESH_KEY; i++) {
		bits = bits << 8 | key[i];
		for (have += 8; have >= 6; have -= 6)
			ret[n++] = alphabet[bits >> (have - 6) & 63];
	}
	ret[n++] = alphabet[bits << (6 - have) & 63];
	ret[n++] = '=';
	ret[n] = 0;
}
