// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

static void finding(void)
{
	CHECK(xtcp_cc_find("newreno") == &xtcp_cc_newreno);
	CHECK(!xtcp_cc_find("nonesuch"));
	CHECK(!xtcp_cc_find(""));
}

static const struct unit_test tests[] = {
	{ "algorithms by name", finding },
};
UNIT_MAIN(tests)
