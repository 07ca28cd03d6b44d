// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc can be mounted so that processes are not there at all for whoever may
 * not trace them (proc(5), hidepid=invisible): then a list without them looks
 * whole.
 */
#include "retire/holders/hidepid.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "retire/holders/mountinfo.h"
#include "util/cleanup.h"
#include "util/text.h"

enum { TEXT_SIZE = 16 << 20 };

static bool may_trace_all(const struct root *root)
{
	_cleanup_free_ char *text = NULL;
	const char *effective;

	if (root_readf(root, TEXT_SIZE, &text, "/proc/self/status") <= 0)
		return false;
	effective = strstr(text, "\nCapEff:\t");
	return effective && (strtoull(effective + strlen("\nCapEff:\t"), NULL, 16) & 1ULL << CAP_SYS_PTRACE);
}

/* fs/proc/root.c:proc_show_options() */
static bool hides(const struct mount *mount)
{
	return has_option(mount->super_options, "hidepid=invisible") ||
	       has_option(mount->super_options, "hidepid=ptraceable");
}

bool proc_hides_processes(const struct root *root)
{
	_cleanup_free_ char *text = NULL;
	char *cursor, *line;
	bool hidden = false;

	if (root->recorded || may_trace_all(root) ||
	    root_readf(root, TEXT_SIZE, &text, "/proc/self/mountinfo") <= 0)
		return false;
	/* the last one is on top */
	for (cursor = text; (line = next_field(&cursor, "\n"));) {
		struct mount mount;

		if (mountinfo_parse(line, &mount) == 0 && strcmp(mount.point, "/proc") == 0)
			hidden = hides(&mount);
	}
	return hidden;
}
