/* SPDX-License-Identifier: GPL-2.0 */
/* Bursts: cut on their way out, joined on their way in (offload.c). */
#ifndef XTCP_OFFLOAD_H
#define XTCP_OFFLOAD_H

/* Negative if somebody has the number.  Process context. */
int xtcp_offload_init(void);

/* Waits until nobody cuts or joins any more.  May sleep. */
void xtcp_offload_exit(void);

#endif /* XTCP_OFFLOAD_H */
