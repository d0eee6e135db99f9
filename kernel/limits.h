/* SPDX-License-Identifier: GPL-2.0 */
/* What the administrator lets sessions have (limits.c). */
#ifndef CAROM_LIMITS_H
#define CAROM_LIMITS_H

#include "carom.h"

/* From 1 to what the ABI has. To be read with READ_ONCE(). */
extern unsigned int carom_max_slots;
extern unsigned int carom_max_hops;
extern unsigned int carom_max_deadline_ms;

int carom_limits_check(const struct carom_open *arg, struct carom_why *why);
int carom_limits_take(struct carom_session *s, struct carom_why *why);
void carom_limits_put(struct carom_session *s);
u32 carom_limits_hops(void);
u32 carom_limits_deadline_ms(void);

#endif /* CAROM_LIMITS_H */
