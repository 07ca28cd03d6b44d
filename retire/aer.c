// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/aer.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

/* A name for each error and one for all of them. */
enum { FILE_MAX = 4096 };

/* The number behind the name at the start of a line; drivers/pci/pcie/aer.c:aer_stats_dev_attr() */
static int number_behind(char *text, const char *name, uint64_t *number)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		size_t length = strlen(name);

		if (starts_with(line, name) && line[length] == ' ')
			return parse_number(line + length + 1, number);
	}
	return -EBADMSG;
}

static int read_total(const struct root *root, const char *address, const char *file, const char *name,
		      uint64_t *number)
{
	_cleanup_free_ char *text = NULL;
	ssize_t length = root_readf(root, FILE_MAX, &text, "/sys/bus/pci/devices/%s/%s", address, file);

	return length < 0 ? (int)length : number_behind(text, name, number);
}

int aer_read(const struct root *root, const char *address, struct aer_counts *counts)
{
	int rc = read_total(root, address, "aer_dev_correctable", "TOTAL_ERR_COR", &counts->correctable);

	rc = rc < 0 ? rc : read_total(root, address, "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL", &counts->nonfatal);
	return rc < 0 ? rc : read_total(root, address, "aer_dev_fatal", "TOTAL_ERR_FATAL", &counts->fatal);
}
