/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges a model on its own, and a model against a machine.  Adds findings, changes nothing. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/host.h"
#include "core/model.h"
#include "core/plan.h"

/*
 * The model is complete (model_add_defaults).
 * Errors: no link; names twice or malformed; one device in two links, or a link and a LAN;
 * undefined link, policy or set; a link twice in a policy; empty policy or set; mask not
 * contiguous or too small for the links; more than a limit of bpf/abi.h; ports without tcp, udp,
 * udplite, sctp or dccp; family that contradicts src, dst or a gateway; reserved table or
 * priority range; a low level above the high one.
 * Warnings: a rule that an earlier one shadows; links, policies and sets that nothing uses; the
 * same port range twice; a quorum of more targets than a link has; a hold-down beyond its limit.
 */
void check_model(const struct model *m, struct findings *f);

/*
 * Errors: a device named by --iface or --lan that does not exist; a link on a loopback device or on
 * a port of a bridge or bond; an ip rule, table, priority or netfilter mark of somebody else's that
 * our ids would set off.
 * Warnings: a configured device that does not exist (with the nearest name that does), is down,
 * has no carrier, no address, or no gateway; marks that share bits with our mask, but are not those
 * of an id in use, or are those of a link that a reload took away; a LAN or link where others filter
 * what arrives, so that it cannot pass the flow cache.
 * Known owners are named (wg-quick, Tailscale, mwan3, pbr, Docker, Kubernetes).
 * ids (n_ids of them) are those given since the first load, NULL before it: as for plan_build.
 */
void check_host(const struct model *m, const struct host *h, const struct plan_id *ids,
		size_t n_ids, struct findings *f);

#endif
