/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CAROM_CLI_WALKER_H
#define CAROM_CLI_WALKER_H

#include <limits.h>
#include <linux/carom.h>
#include "cli.h"

/**
 * struct walker_cmd - one run of carom walker
 * @verb: load, unload or list
 * @arg: walker or object file
 * @log: show all that libbpf says
 */
struct walker_cmd {
	struct cli cli;
	const char *verb;
	const char *arg;
	bool log;
};

int walker_load(const struct walker_cmd *cmd);
/* Can this be the name of a walker, and of a file in the pin directory? */
bool walker_name_ok(const char *name);
void walker_pin_path(char *path, size_t size, const char *name);

#endif /* CAROM_CLI_WALKER_H */
