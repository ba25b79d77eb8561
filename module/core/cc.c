// SPDX-License-Identifier: GPL-2.0
/* The list of congestion control algorithms. */
#include "core.h"

static const struct xtcp_cc *const algorithms[] = {
	&xtcp_cc_newreno,
};

const struct xtcp_cc *xtcp_cc_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (!strcmp(algorithms[i]->name, name))
			return algorithms[i];
	return NULL;
}
