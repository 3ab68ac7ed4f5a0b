/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file (libconfuse) and the flags of the command line, both into a model.
 * asymbpf.conf(5) describes the language.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/model.h"

/*
 * Parses text (len bytes, may hold NULs, which are an error) as the contents of file `name`; the
 * name is used in messages and to resolve include() and set files.  Fills m, which the caller has
 * model_init()ed, and adds every error and warning to f.  0; -EINVAL when f got an error;
 * -ENOMEM.  m may be half filled on error: call model_done.
 */
int config_parse(struct model *m, const char *name, const char *text, size_t len,
		 struct findings *f);

/* Reads and parses a file.  Errors as config_parse; one that cannot be read is a finding. */
int config_read(struct model *m, const char *path, struct findings *f);

/* "DEV" or "DEV:WEIGHT" of --iface: adds a link named after its device, or sets the weight of the
 * configured link of that device.  0, or -EINVAL with a finding. */
int config_add_iface(struct model *m, const char *arg, struct findings *f);

/* DEV of --lan.  0, or -EINVAL with a finding. */
int config_add_lan(struct model *m, const char *arg, struct findings *f);

/* "yes" or "no" of --fastpath.  0, or -EINVAL with a finding. */
int config_set_fastpath(struct model *m, const char *arg, struct findings *f);

/* Writes the model as a configuration file that parses to an equal model.  0 or -ENOMEM. */
struct str;
int config_print(const struct model *m, struct str *out);

#endif
