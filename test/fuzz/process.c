// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "retire/holders/container.h"
#include "retire/holders/procfs.h"
#include "test/fuzz/fuzz.h"

void fuzz_one(char *text)
{
	char *unit = cgroup_parse_unit(text), *container, *vm = cmdline_parse_vm(text, strlen(text) + 1);
	bool is_vm;
	struct proc_stat stat;
	uid_t uid;

	/* a unit name goes to the service manager */
	if (unit && (strchr(unit, '/') || strchr(unit, ' ') || strlen(unit) > 255 || !strchr(unit, '.')))
		abort();
	free(unit);
	if (stat_parse(text, &stat) == 0 && (stat.pid < 0 || stat.parent < 0 || strlen(stat.comm) > 63))
		abort();
	status_parse_uid(text, &uid);
	status_parse_pinned(text);
	container = cgroup_parse_container(text, &is_vm);
	if ((is_vm && !container) || (container && !*container) || strlen(vm) > 255)
		abort();
	free(container);
	free(vm);
}
