// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/targets/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retire/targets/libraries.h"
#include "util/child.h"
#include "util/root.h"
#include "util/text.h"

/* Without doing anything, and at all: there may be thousands of devices. */
enum { IDLE_MS = 5000, FINDING_MS = 60000 };

struct trial {
	attempt *try;
	const struct root *root;
	const void *what;
};

struct finding {
	finder *find;
	const struct request *request;
};

struct finding_again {
	finder_again *find;
	const struct look *was;
};

/*
 * A reader that hangs for ever must not keep the lock of a retirement, nor
 * whoever reads our output from its end.
 */
static void let_go_of_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct stat found;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode))
			close(fd);
}

/* In a child: only whether it comes back. */
static int try_in_child(void *argument, int *fd)
{
	const struct trial *trial = argument;

	(void)fd;
	let_go_of_files();
	trial->try(trial->root, trial->what);
	return 0;
}

bool finding_comes_back(attempt *try, const struct root *root, const void *what)
{
	struct trial trial = { try, root, what };
	struct child child;
	int rc;

	if (root->recorded || child_start(&child, try_in_child, &trial) < 0)
		return true;
	rc = child_wait_working(&child, IDLE_MS, deadline_in(FINDING_MS), NULL);
	child_give_up(&child);
	return rc != -ETIMEDOUT;
}

static void try_finding(const struct root *root, const void *what)
{
	const struct finding *finding = what;
	struct look look = { 0 };

	finding->find(root, finding->request, &look, NULL);
	look_free(&look);
}

static void try_finding_again(const struct root *root, const void *what)
{
	const struct finding_again *finding = what;
	struct look look = { 0 };

	finding->find(root, finding->was, &look, NULL);
	look_free(&look);
}

int finding_returns(finder *find, const struct root *root, const struct request *request, struct err *err)
{
	const struct finding finding = { find, request };
	int rc = request->dry_run ? 0 : libraries_load(err);

	return rc < 0 ? rc : finding_comes_back(try_finding, root, &finding);
}

int finding_again_returns(finder_again *find, const struct root *root, const struct look *was, struct err *err)
{
	const struct finding_again finding = { find, was };
	int rc = libraries_load(err);

	return rc < 0 ? rc : finding_comes_back(try_finding_again, root, &finding);
}

int finding_gave_up(const char *name, const char *what, struct err *err)
{
	char text[256];

	return err_set(
		err, -ETIMEDOUT,
		"%s: cannot be looked at, the kernel does not answer: it is removing %s, and may never come "
		"back from it",
		printable(name, text, sizeof(text)), what);
}

bool finding_has(const struct look *look, const char *bus, const char *name)
{
	array_each(device, &look->devices)
		if (strcmp(device_bus(device->type), bus) == 0 && strcmp(device->name, name) == 0)
			return true;
	return false;
}

int finding_add(const struct root *root, describer *describe, const char *name, struct look *look, struct err *err)
{
	struct device device = { 0 }, *added = NULL;
	int rc = describe(root, name, &device);

	if (rc == 0)
		added = array_add(&look->devices);
	if (!added) {
		device_free(&device);
		return err_errno(err, rc < 0 ? rc : -ENOMEM, "%s: cannot read it from sysfs", name);
	}
	*added = device;
	return 0;
}
