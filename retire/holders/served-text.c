// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of nfsd, nfs-utils and LIO. Pure. Clients and administrators choose much of what is in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "retire/holders/served.h"
#include "util/text.h"

int export_parse(char *line, struct export_line *export)
{
	char *tab = strpbrk(line, " \t"), *open = tab ? strchr(tab, '(') : NULL;
	char *close = open ? strrchr(open, ')') : NULL;

	if (line[0] != '/' || !close || open == tab + 1)
		return -EINVAL;
	*tab = *open = *close = '\0';
	*export = (struct export_line){ line, tab + 1, open + 1 };
	unescape_octal(export->path);
	unescape_octal(export->client);
	return *export->client ? 0 : -EINVAL;
}

/* A hexadecimal number that ends with a colon. */
static const char *take_hex(const char *at, unsigned *number)
{
	char *end;

	if (!strchr("0123456789abcdef", *at) || !*at)
		return NULL;
	*number = (unsigned)strtoul(at, &end, 16);
	return *end == ':' ? end + 1 : NULL;
}

/* `name` is followed by one of the `values`. What a client chose comes later, and with its quotes escaped. */
static bool has_word(const char *line, const char *name, const char *letters)
{
	const char *at = strstr(line, name), *quote = strchr(line, '"');

	if (!at || (quote && at > quote))
		return false;
	at += strlen(name);
	return strcspn(at, letters) < strcspn(at, ", }");
}

/* nfsd4_show_open() and its like in fs/nfsd/nfs4state.c: superblock: "MAJOR:MINOR:INODE", the first two in hex */
int nfs_state_parse(const char *line, struct nfs_state *state)
{
	static const char superblock[] = "superblock: \"";
	const char *at = strstr(line, superblock);
	unsigned major_number, minor_number;

	if (!at || strchr(line, '"') != at + strlen(superblock) - 1)
		return -EINVAL;
	at = take_hex(at + strlen(superblock), &major_number);
	at = at ? take_hex(at, &minor_number) : NULL;
	if (!at)
		return -EINVAL;
	state->dev = makedev(major_number, minor_number);
	/* a delegation to read only lets the client remember what it has read */
	state->in_use = !strstr(line, "type: deleg") || has_word(line, "access: ", "w");
	return 0;
}

/* The decimal number behind `name`. */
static int number_after(const char *text, const char *name, unsigned *number)
{
	const char *at = strstr(text, name);

	if (!at)
		return -EINVAL;
	at += strlen(name);
	if (*at < '0' || *at > '9')
		return -EINVAL;
	*number = (unsigned)strtoul(at, NULL, 10);
	return 0;
}

int target_parse_dev(const char *info, dev_t *dev)
{
	/* iblock_show_configfs_dev_params(): the last line, behind a path that anybody may have chosen */
	const char *line = NULL;
	unsigned major_number, minor_number;

	for (const char *at = strstr(info, "Major: "); at; at = strstr(at + 1, "Major: "))
		line = at;
	if (!line || number_after(line, "Major: ", &major_number) || number_after(line, " Minor: ", &minor_number))
		return -EINVAL;
	*dev = makedev(major_number, minor_number);
	return 0;
}

char *target_parse_file(const char *info)
{
	/* fd_show_configfs_dev_params(): "TCM FILEIO ID: 0        File: PATH  Size: …" */
	const char *file = strstr(info, " File: "), *end = NULL;

	if (!file)
		return NULL;
	file += strlen(" File: ");
	for (const char *at = strstr(file, "  Size: "); at; at = strstr(at + 1, "  Size: "))
		end = at;
	return end && end > file ? strndup(file, (size_t)(end - file)) : NULL;
}
