// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the names of a request to pmem namespaces.
 */
#include "retire/targets/targets.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retire/targets/libraries.h"
#include "retire/targets/pmem.h"
#include "util/child.h"
#include "util/root.h"
#include "util/text.h"

#define NAME_ROOM 256 /* of a user's name in a message */

enum { FINDING_MS = 5000 };

/* A filter is the name, or the number alone. Compared as text: "0garbage" and "00" are no numbers of ours. */
static bool is_named(const char *filter, const char *name, unsigned id)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	return strcmp(filter, name) == 0 || strcmp(filter, number) == 0;
}

static bool bus_fits(const char *filter, const struct nd_bus *bus)
{
	return !filter || strcmp(filter, "all") == 0 || is_named(filter, bus->name, bus->number) ||
	       strcmp(filter, bus->provider) == 0;
}

static bool region_fits(const char *filter, const struct nd_region *region)
{
	return !filter || strcmp(filter, "all") == 0 || is_named(filter, region->name, region->number);
}

/* A filter that fits nothing is a mistake, even where all names would be refused anyway. */
static int check_filters(const struct nd_devices *nd, const struct request *request, struct err *err)
{
	bool any_bus = !request->bus, any_region = !request->region;
	char name[NAME_ROOM];

	array_each(bus, &nd->buses)
		any_bus |= bus_fits(request->bus, bus);
	array_each(region, &nd->regions)
		any_region |= region_fits(request->region, region);
	if (!any_bus)
		return err_set(err, -ENODEV, "%s: no such bus (see 'ndctl list -B')",
			       printable(request->bus, name, sizeof(name)));
	if (!any_region)
		return err_set(err, -ENODEV, "%s: no such region (see 'ndctl list -R -i')",
			       printable(request->region, name, sizeof(name)));
	return 0;
}

const char *pmem_refusing_filter(const struct request *request, const struct nd_devices *nd,
				 const struct nd_region *region)
{
	if (!bus_fits(request->bus, nd_bus_of(nd, region)))
		return request->bus;
	if (!region_fits(request->region, region))
		return request->region;
	return NULL;
}

bool pmem_is_listed(const struct look *look, const char *name)
{
	array_each(device, &look->devices)
		if (strcmp(device->name, name) == 0)
			return true;
	return false;
}

int pmem_add_namespace(const struct root *root, const struct nd_namespace *ndns, struct look *look,
		       struct err *err)
{
	struct device device = { 0 }, *added = NULL;
	int rc;

	if (pmem_is_listed(look, ndns->name))
		return 0;
	rc = pmem_describe(root, ndns->name, &device);
	if (rc == 0)
		added = array_add(&look->devices);
	if (!added) {
		device_free(&device);
		return err_errno(err, rc < 0 ? rc : -ENOMEM, "%s: cannot read it from sysfs", ndns->name);
	}
	*added = device;
	return 0;
}

/* "pmem0" or its partition "pmem0p1", "pmem0s" or "pmem0s1" (block/partitions/core.c:add_partition()) */
static bool is_node_of(const char *name, const struct device *device)
{
	size_t length = device->blockdev ? strlen(device->blockdev) : 0;
	const char *partition = name + length;

	if (!length || strncmp(name, device->blockdev, length) != 0)
		return false;
	if (!*partition)
		return true;
	if (isdigit((unsigned char)partition[-1]) && *partition++ != 'p')
		return false;
	return *partition && !partition[strspn(partition, "0123456789")];
}

/* The namespace whose disk, character device or instance has this name; caller frees; NULL when none has. */
static char *owner_of(const struct root *root, const struct nd_devices *nd, const char *name)
{
	if (starts_with(name, "/dev/"))
		name += strlen("/dev/");
	array_each(ndns, &nd->namespaces) {
		struct device device = { 0 };
		char *owner = NULL;

		if (pmem_describe(root, ndns->name, &device) == 0 &&
		    (is_node_of(name, &device) ||
		     (device.driver_device && strcmp(name, device.driver_device) == 0)))
			owner = take_ptr(device.name);
		device_free(&device);
		if (owner)
			return owner;
	}
	return NULL;
}

static int no_such_namespace(const struct root *root, const struct nd_devices *nd, const char *name,
			     struct err *err)
{
	_cleanup_free_ char *owner = owner_of(root, nd, name);
	char text[NAME_ROOM];

	printable(name, text, sizeof(text));
	if (owner)
		return err_set(err, -ENODEV, "%s: not a namespace, but it belongs to %s", text, owner);
	if (nd_region_named(nd, name))
		return err_set(err, -ENODEV, "%s: not a namespace, but a region (see 'ndctl retire-region')",
			       text);
	return err_set(err, -ENODEV, "%s: no such namespace (see 'ndctl list -N -i')", text);
}

int pmem_find_named(const struct root *root, const struct request *request, const struct nd_devices *nd,
		    const char *name, struct look *look, struct err *err)
{
	const struct nd_namespace *ndns = nd_namespace_named(nd, name);
	const char *refusing = ndns ? pmem_refusing_filter(request, nd, nd_region_of(nd, ndns)) : NULL;
	char text[NAME_ROOM];

	if (!ndns)
		return no_such_namespace(root, nd, name, err);
	if (refusing)
		return err_set(err, -ENODEV, "%s: not on %s", name, printable(refusing, text, sizeof(text)));
	if (!ndns->size)
		return err_set(err, -ENXIO, "%s: it has no capacity (a seed for 'ndctl create-namespace')", name);
	return pmem_add_namespace(root, ndns, look, err);
}

static int find_all(const struct root *root, const struct request *request, const struct nd_devices *nd,
		    struct look *look, struct err *err)
{
	array_each(ndns, &nd->namespaces) {
		int rc;

		if (pmem_refusing_filter(request, nd, nd_region_of(nd, ndns)) || !ndns->size)
			continue;
		rc = pmem_add_namespace(root, ndns, look, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int find_names(const struct root *root, const struct request *request, const struct nd_devices *nd,
		      struct look *look, struct err *err)
{
	for (size_t i = 0; i < request->name_count; i++) {
		const char *name = request->names[i];
		int rc;

		if (strcmp(name, "all") != 0)
			rc = pmem_find_named(root, request, nd, name, look, err);
		else if (request->name_count == 1)
			rc = find_all(root, request, nd, look, err);
		else
			rc = err_set(err, -EINVAL, "'all' cannot stand beside other names");
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The initial namespaces have fixed numbers: include/linux/proc_ns.h, PROC_PID_INIT_INO and PROC_USER_INIT_INO. */
static bool is_initial(const struct root *root, const char *kind, unsigned number)
{
	_cleanup_free_ char *link = root_readlinkf(root, "/proc/self/ns/%s", kind);
	char initial[32];

	snprintf(initial, sizeof(initial), "%s:[%u]", kind, number);
	return link && strcmp(link, initial) == 0;
}

static bool sees_everybody(const struct root *root)
{
	return is_initial(root, "pid", 0xEFFFFFFCU) && is_initial(root, "user", 0xEFFFFFFDU);
}

int pmem_begin(const struct root *root, const struct request *request, struct look *look, struct nd_devices *nd,
	       struct err *err)
{
	int rc = nd_devices_read(root, nd);

	look->initial_namespaces = sees_everybody(root);
	return rc < 0 ? err_errno(err, rc, "cannot list namespaces") : check_filters(nd, request, err);
}

static int find_pmem(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	_cleanup_nd_ struct nd_devices nd = { 0 };
	int rc = pmem_begin(root, request, look, &nd, err);

	return rc < 0 ? rc : find_names(root, request, &nd, look, err);
}

struct finding {
	pmem_finder *find;
	const struct root *root;
	const struct request *request;
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
static int try_finding(void *argument, int *fd)
{
	const struct finding *finding = argument;
	struct look look = { 0 };

	(void)fd;
	let_go_of_files();
	finding->find(finding->root, finding->request, &look, NULL);
	look_free(&look);
	return 0;
}

int pmem_find_safely(pmem_finder *find, const struct root *root, const struct request *request, struct look *look,
		     struct err *err)
{
	struct finding finding = { find, root, request };
	struct child left;
	int rc = request->dry_run ? 0 : libraries_load(err);

	if (rc < 0)
		return rc;
	rc = root->recorded ? 0 : child_run(try_finding, &finding, -1, deadline_in(FINDING_MS), NULL, &left);

	if (!root->recorded)
		child_forget(&left);
	if (rc != -ETIMEDOUT)
		return find(root, request, look, err);
	look->initial_namespaces = sees_everybody(root);
	return pmem_find_stuck(root, request, look, err);
}

int targets_find_pmem(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	return pmem_find_safely(find_pmem, root, request, look, err);
}
