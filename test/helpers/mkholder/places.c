// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkholder.h"

static void make_cwd(const char *path, const char *argument)
{
	(void)argument;
	if (chdir(path) < 0)
		fail("chdir");
}

/* The working directory stays where it was. */
static void make_root(const char *path, const char *argument)
{
	(void)argument;
	if (chroot(path) < 0)
		fail("chroot");
}

/* Copies itself to PATH and runs from there. */
static void make_exe(const char *path, const char *argument)
{
	char *arguments[] = { (char *)(uintptr_t)path, (char *)(uintptr_t) "nothing", NULL };
	int from = open_or_fail("/proc/self/exe", O_RDONLY), to = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);
	ssize_t n;

	(void)argument;
	do {
		n = sendfile(to, from, NULL, 1 << 20);
	} while (n > 0);
	if (n < 0 || fchmod(to, 0700) < 0)
		fail("copy");
	close(from);
	close(to);
	execv(path, arguments);
	fail("exec");
}

const struct kind kinds_places[] = {
	{ "cwd", make_cwd, true, "the working directory" },
	{ "root", make_root, true, "the root directory" },
	{ "exe", make_exe, true, "runs from a copy of itself" },
	{ 0 },
};
