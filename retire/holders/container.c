// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/holders/container.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/text.h"

enum { LONGEST_NAME = 255, SHORTEST_ID = 12, WHOLE_ID = 64 };

#define HEX_DIGITS "0123456789abcdef"

bool is_vm_monitor(const char *comm)
{
	/* a comm has 15 bytes at most */
	static const char *const names[] = { "qemu-kvm", "kvm", "cloud-hyperviso", "firecracker", "crosvm" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(comm, names[i]) == 0)
			return true;
	return starts_with(comm, "qemu-system-");
}

/* The first `length` bytes, when they can be an id: runtimes give 64 hexadecimal digits, some names have fewer. */
static char *copy_id(const char *text, size_t length, size_t at_least)
{
	if (length < at_least || length > WHOLE_ID || strspn(text, HEX_DIGITS) < length)
		return NULL;
	return strndup(text, length);
}

/* What stands between `before` and `after`; -1: it is no such name. */
static ssize_t part_between(const char *name, const char *before, const char *after)
{
	size_t length = strlen(name), head = strlen(before), tail = strlen(after);

	if (!starts_with(name, before) || length <= head + tail || strcmp(name + length - tail, after) != 0)
		return -1;
	return (ssize_t)(length - head - tail);
}

/* "docker-ID.scope" below systemd, "libpod-ID" without: who made the scope comes first. */
static char *id_of_runtime(const char *part)
{
	static const char *const runtimes[] = { "docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-" };
	char *id = NULL;

	for (size_t i = 0; !id && i < COUNT_OF(runtimes); i++) {
		const char *from = part + strlen(runtimes[i]);
		ssize_t length = part_between(part, runtimes[i], ".scope");

		if (length > 0)
			id = copy_id(from, (size_t)length, SHORTEST_ID);
		else if (starts_with(part, runtimes[i]))
			id = copy_id(from, strlen(from), WHOLE_ID);
	}
	/* "/docker/ID", "/kubepods/…/ID" */
	return id ? id : copy_id(part, strlen(part), WHOLE_ID);
}

static int hex_value(char digit)
{
	const char *found = digit ? strchr(HEX_DIGITS, tolower((unsigned char)digit)) : NULL;

	return found ? (int)(found - HEX_DIGITS) : -1;
}

/* Undoes unit_name_escape() of systemd: \xNN. NULL: that is none, or out of memory. */
static char *unescape_unit(const char *text, size_t length)
{
	char *name = length <= LONGEST_NAME ? malloc(length + 1) : NULL, *out = name;

	for (const char *at = text; name && at < text + length; at++) {
		int high = at[0] == '\\' && at[1] == 'x' ? hex_value(at[2]) : -1;
		int low = high >= 0 ? hex_value(at[3]) : -1;

		/* an escaped NUL would hide what comes after it */
		if (low > 0 || (low == 0 && high > 0)) {
			*out++ = (char)(high << 4 | low);
			at += 3;
		} else {
			*out++ = *at;
		}
	}
	if (name)
		*out = '\0';
	return name;
}

/* libvirt calls its machines KIND-NUMBER-NAME: virDomainDriverGenerateMachineName(). NULL when it is no such. */
static const char *name_of_libvirt(const char *machine, const char *kind)
{
	const char *number = machine + strlen(kind);
	size_t digits;

	if (!starts_with(machine, kind))
		return NULL;
	digits = strspn(number, "0123456789");
	return digits && number[digits] == '-' && number[digits + 1] ? number + digits + 1 : NULL;
}

/* A machine of systemd-machined: a container, unless libvirt says that it is a virtual one. */
static char *name_of_machine(const char *part, bool *vm)
{
	_cleanup_free_ char *machine = NULL;
	ssize_t length = part_between(part, "machine-", ".scope");
	const char *name;

	if (length > 0)
		machine = unescape_unit(part + strlen("machine-"), (size_t)length);
	if (!machine)
		return NULL;
	name = name_of_libvirt(machine, "qemu-");
	*vm = name;
	name = name ? name : name_of_libvirt(machine, "lxc-");
	return name ? strdup(name) : take_ptr(machine);
}

static char *name_of_part(const char *part, bool *vm)
{
	static const struct {
		const char *before, *after;
	} names[] = { { "lxc.payload.", "" }, { "systemd-nspawn@", ".service" } };
	char *name = id_of_runtime(part);

	for (size_t i = 0; !name && i < COUNT_OF(names); i++) {
		ssize_t length = part_between(part, names[i].before, names[i].after);

		if (length > 0)
			name = unescape_unit(part + strlen(names[i].before), (size_t)length);
	}
	return name ? name : name_of_machine(part, vm);
}

static char *name_of_path(const char *path, bool *vm)
{
	_cleanup_free_ char *copy = strdup(path);
	char *cursor = copy, *part, *name = NULL;

	while (!name && (part = next_field(&cursor, "/")))
		if (*part)
			name = name_of_part(part, vm);
	return name;
}

char *cgroup_parse_container(const char *text, bool *vm)
{
	_cleanup_free_ char *copy = strdup(text);
	char *cursor = copy, *line, *name = NULL;

	*vm = false;
	/* "ID:CONTROLLERS:PATH"; a path may have colons */
	while (!name && (line = next_field(&cursor, "\n"))) {
		const char *colon = strchr(line, ':');

		colon = colon ? strchr(colon + 1, ':') : NULL;
		name = colon ? name_of_path(colon + 1, vm) : NULL;
	}
	return name;
}

/* "web1,process=web" or "debug-threads=on,guest=web1": what has no key is the name; ",," is a comma. */
static char *name_of_option(const char *value)
{
	char *name = malloc(LONGEST_NAME + 1);
	size_t length = 0;

	for (const char *at = value, *end; name && *at; at = *end ? end + 1 : end) {
		bool named = starts_with(at, "guest=");

		end = at;
		while (*end && (*end != ',' || end[1] == ','))
			end += *end == ',' ? 2 : 1;
		if (!named && memchr(at, '=', (size_t)(end - at)))
			continue;
		length = 0;
		for (at += named ? strlen("guest=") : 0; at < end && length < LONGEST_NAME; at++) {
			name[length++] = *at;
			at += at[0] == ',';
		}
	}
	if (name)
		name[length] = '\0';
	return name;
}

static const char *argument_after(const char *argument, const char *end)
{
	const char *next = memchr(argument, '\0', (size_t)(end - argument));

	return next && next + 1 < end && memchr(next + 1, '\0', (size_t)(end - next - 1)) ? next + 1 : NULL;
}

char *cmdline_parse_vm(const char *cmdline, size_t length)
{
	static const struct {
		const char *option;
		bool qemu; /* its value has parts of its own */
	} options[] = { { "-name", true }, { "--name", true }, { "--id", false } };
	const char *end = cmdline + length, *argument = length && memchr(cmdline, '\0', length) ? cmdline : NULL;

	for (; argument; argument = argument_after(argument, end)) {
		const char *value = argument_after(argument, end);

		for (size_t i = 0; value && i < COUNT_OF(options); i++)
			if (strcmp(argument, options[i].option) == 0)
				return options[i].qemu ? name_of_option(value) : strndup(value, LONGEST_NAME);
	}
	return strdup("");
}
