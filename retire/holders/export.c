// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NFS exports. nfsd keeps a file system busy through its cache of exports, and
 * through what clients have open; no process shows either. The table of
 * nfs-utils says what is exported even where no client has come yet: one that
 * comes after an unmount would be given what lies below the mount point.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "retire/holders/served.h"
#include "util/cleanup.h"
#include "util/root.h"
#include "util/text.h"

#define CLIENTS "/proc/fs/nfsd/clients"

enum { TABLE_SIZE = 4 << 20, STATES_SIZE = 16 << 20, INFO_SIZE = 64 << 10, USERS_SIZE = 256 };

static bool is_known(const struct look *look, const struct export_line *line, bool listed)
{
	array_each(holder, &look->holders)
		if (holder->type == HOLDER_EXPORT && strcmp(holder->export.path, line->path) == 0 &&
		    (!listed || strcmp(holder->export.client, line->client) == 0))
			return true;
	return false;
}

/* Clients that only the kernel's cache has are there on behalf of another export, and come back by themselves. */
static int add_export(const struct root *root, struct look *look, const struct export_line *line, bool listed)
{
	struct holder *holder;
	struct place place;
	char name[512];
	int rc;

	if (is_known(look, line, listed))
		return 0;
	rc = place_of_served(root, look, line->path, &place);
	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	snprintf(name, sizeof(name), "%.200s:%.300s", line->client, line->path);
	if (rc <= 0)
		return rc == 0 ? 0 : add_unknown_once(look, name, strerror(-rc));
	holder = add_served(look, HOLDER_EXPORT, &place, name);
	if (!holder)
		return -ENOMEM;
	holder->export = (struct export){ .path = strdup(line->path),
					  .client = strdup(line->client),
					  .options = listed ? strdup(line->options) : NULL };
	return holder->export.path && holder->export.client && (!listed || holder->export.options) ? 1 : -ENOMEM;
}

static int add_table(const struct root *root, struct look *look, const char *path, bool listed)
{
	_cleanup_free_ char *text = NULL;
	ssize_t length = root_readf(root, TABLE_SIZE, &text, "%s", path);
	char *cursor = text, *line;
	struct export_line export;
	int rc, added = 0;

	if (length < 0)
		return length == -ENOENT ? 0 : look_add_unknown(look, path, "%s", strerror((int)-length));
	/* a line that begins with # is about what is not exported */
	while ((line = next_field(&cursor, "\n"))) {
		if (!*line || *line == '#')
			continue;
		rc = export_parse(line, &export) < 0
			     ? add_unknown_once(look, path, "a line of it could not be understood")
			     : add_export(root, look, &export, listed);
		if (rc < 0)
			return rc;
		added += rc;
	}
	return added;
}

/* "10.0.0.5:1003" of its info; its id where that says none. */
static void name_client(const struct root *root, const char *id, char name[64])
{
	_cleanup_free_ char *info = NULL;
	char *address, *end = NULL;

	snprintf(name, 64, "client %.32s", id);
	if (root_readf(root, INFO_SIZE, &info, CLIENTS "/%s/info", id) <= 0)
		return;
	address = strstr(info, "address: \"");
	address = address ? address + strlen("address: \"") : NULL;
	end = address ? strchr(address, '"') : NULL;
	if (end && end > address)
		snprintf(name, 64, "%.*s", (int)(end - address), address);
}

/* The exports that the client has files of. */
static int note_user(struct look *look, int filesystem, const char *client)
{
	array_each(holder, &look->holders) {
		char *users;

		if (holder->type != HOLDER_EXPORT || holder->on != filesystem ||
		    (holder->export.users && strlen(holder->export.users) > USERS_SIZE))
			continue;
		if (asprintf(&users, "%s%s%s", holder->export.users ? holder->export.users : "",
			     holder->export.users ? ", " : "", client) < 0)
			return -ENOMEM;
		free(holder->export.users);
		holder->export.users = users;
	}
	return 0;
}

static int find_uses(const struct root *root, struct look *look, const char *id)
{
	_cleanup_free_ char *states = NULL;
	const struct holder *last = NULL;
	char *cursor, *line, name[64];
	struct nfs_state state;
	int rc = 0;

	/* gone meanwhile */
	if (root_readf(root, STATES_SIZE, &states, CLIENTS "/%s/states", id) <= 0)
		return 0;
	name_client(root, id, name);
	for (cursor = states; rc == 0 && (line = next_field(&cursor, "\n"));) {
		const struct holder *filesystem;

		if (nfs_state_parse(line, &state) < 0 || !state.in_use)
			continue;
		filesystem = look_filesystem(look, state.dev);
		if (filesystem && filesystem != last)
			rc = note_user(look, filesystem->id, name);
		last = filesystem ? filesystem : last;
	}
	return rc;
}

static int find_users(const struct root *root, struct look *look)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, CLIENTS);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return add_unknown_once(look, "NFS clients", strerror(errno));
	while (rc == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = find_uses(root, look, entry->d_name);
	return rc;
}

static int probe_exports(const struct root *root, struct look *look, struct err *err)
{
	int listed, cached, rc = 0;

	/* without nfsd nothing is served, whatever the table says */
	if (!root_existsf(root, "/proc/net/rpc/nfsd.export"))
		return 0;
	listed = add_table(root, look, "/var/lib/nfs/etab", true);
	cached = listed < 0 ? listed : add_table(root, look, "/proc/net/rpc/nfsd.export/content", false);
	if (cached >= 0 && listed + cached > 0)
		rc = find_users(root, look);
	rc = cached < 0 ? cached : rc;
	return rc < 0 ? err_errno(err, rc, "cannot list NFS exports") : listed + cached;
}

const struct holder_kind kind_export = {
	.type = HOLDER_EXPORT,
	.name = "export",
	.probe = probe_exports,
	.serves = true,
	.phrase = "is an NFS export of",
	.lifted_by = EVICT_STOP,
	.before = { STEP_WITHDRAW },
};
