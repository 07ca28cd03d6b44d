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

#include "retire/targets/pmem.h"
#include "util/child.h"
#include "util/root.h"
#include "util/text.h"

#define NAME_ROOM 256 /* of a user's name in a message */

enum { FINDING_MS = 5000 };

/* The library's own words are not for our users; results and errno tell us what we need. */
static void ndctl_silent(struct ndctl_ctx *ctx, int priority, const char *file, int line, const char *fn,
			 const char *format, va_list args)
{
	(void)ctx, (void)priority, (void)file, (void)line, (void)fn, (void)format, (void)args;
}

int pmem_open(struct ndctl_ctx **ctx, struct err *err)
{
	int rc = ndctl_new(ctx);

	if (rc) {
		*ctx = NULL;
		return err_errno(err, rc < 0 ? rc : -EIO, "cannot use libndctl");
	}
	ndctl_set_log_fn(*ctx, ndctl_silent);
	return 0;
}

struct ndctl_region *pmem_region_named(struct ndctl_ctx *ctx, const char *name)
{
	struct ndctl_region *region, *found = NULL;
	struct ndctl_bus *bus;

	ndctl_bus_foreach(ctx, bus)
		ndctl_region_foreach(bus, region)
			if (strcmp(ndctl_region_get_devname(region), name) == 0)
				found = region;
	return found;
}

static int compare_numbers(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

static int compare_namespaces(const void *a, const void *b)
{
	struct ndctl_namespace *one = *(struct ndctl_namespace *const *)a;
	struct ndctl_namespace *two = *(struct ndctl_namespace *const *)b;
	struct ndctl_region *region = ndctl_namespace_get_region(one);
	struct ndctl_region *other = ndctl_namespace_get_region(two);
	int order;

	order = compare_numbers(ndctl_bus_get_id(ndctl_region_get_bus(region)),
				ndctl_bus_get_id(ndctl_region_get_bus(other)));
	if (!order)
		order = compare_numbers(ndctl_region_get_id(region), ndctl_region_get_id(other));
	if (!order)
		order = compare_numbers(ndctl_namespace_get_id(one), ndctl_namespace_get_id(two));
	return order;
}

static int list_region(struct ndctl_region *region, struct pmem_namespaces *namespaces)
{
	struct ndctl_namespace *ndns;

	ndctl_namespace_foreach(region, ndns) {
		struct ndctl_namespace **slot = array_add(&namespaces->list);

		if (!slot)
			return -ENOMEM;
		*slot = ndns;
	}
	return 0;
}

int pmem_list(struct ndctl_ctx *ctx, struct pmem_namespaces *namespaces)
{
	struct ndctl_region *region;
	struct ndctl_bus *bus;
	int rc = 0;

	ndctl_bus_foreach(ctx, bus)
		ndctl_region_foreach(bus, region)
			if (rc == 0)
				rc = list_region(region, namespaces);
	if (rc == 0 && namespaces->list.count)
		qsort(namespaces->list.items, namespaces->list.count, sizeof(*namespaces->list.items),
		      compare_namespaces);
	return rc;
}

struct ndctl_namespace *pmem_namespace_named(const struct pmem_namespaces *namespaces, const char *name)
{
	array_each(ndns, &namespaces->list)
		if (strcmp(ndctl_namespace_get_devname(*ndns), name) == 0)
			return *ndns;
	return NULL;
}

/* A filter is the name, or the number alone. Compared as text: "0garbage" and "00" are no numbers of ours. */
static bool is_named(const char *filter, const char *name, unsigned id)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	return strcmp(filter, name) == 0 || strcmp(filter, number) == 0;
}

static bool bus_fits(const char *filter, struct ndctl_bus *bus)
{
	return !filter || strcmp(filter, "all") == 0 ||
	       is_named(filter, ndctl_bus_get_devname(bus), ndctl_bus_get_id(bus)) ||
	       strcmp(filter, ndctl_bus_get_provider(bus)) == 0;
}

static bool region_fits(const char *filter, struct ndctl_region *region)
{
	return !filter || strcmp(filter, "all") == 0 ||
	       is_named(filter, ndctl_region_get_devname(region), ndctl_region_get_id(region));
}

/* A filter that fits nothing is a mistake, even where all names would be refused anyway. */
static int check_filters(struct ndctl_ctx *ctx, const struct request *request, struct err *err)
{
	bool any_bus = !request->bus, any_region = !request->region;
	struct ndctl_region *region;
	struct ndctl_bus *bus;
	char name[NAME_ROOM];

	ndctl_bus_foreach(ctx, bus) {
		any_bus |= bus_fits(request->bus, bus);
		ndctl_region_foreach(bus, region)
			any_region |= region_fits(request->region, region);
	}
	if (!any_bus)
		return err_set(err, -ENODEV, "%s: no such bus (see 'ndctl list -B')",
			       printable(request->bus, name, sizeof(name)));
	if (!any_region)
		return err_set(err, -ENODEV, "%s: no such region (see 'ndctl list -R -i')",
			       printable(request->region, name, sizeof(name)));
	return 0;
}

const char *pmem_refusing_filter(const struct request *request, struct ndctl_region *region)
{
	if (!bus_fits(request->bus, ndctl_region_get_bus(region)))
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

int pmem_add_namespace(const struct root *root, struct ndctl_namespace *ndns, struct look *look, struct err *err)
{
	const char *name = ndctl_namespace_get_devname(ndns);
	struct device device = { 0 }, *added = NULL;
	int rc;

	if (pmem_is_listed(look, name))
		return 0;
	rc = pmem_describe(root, ndns, &device);
	if (rc == 0)
		added = array_add(&look->devices);
	if (!added) {
		device_free(&device);
		return err_errno(err, rc < 0 ? rc : -ENOMEM, "%s: cannot read it from sysfs", name);
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
static char *owner_of(const struct root *root, const struct pmem_namespaces *namespaces, const char *name)
{
	if (starts_with(name, "/dev/"))
		name += strlen("/dev/");
	array_each(ndns, &namespaces->list) {
		struct device device = { 0 };
		char *owner = NULL;

		if (pmem_describe(root, *ndns, &device) == 0 &&
		    (is_node_of(name, &device) ||
		     (device.driver_device && strcmp(name, device.driver_device) == 0)))
			owner = take_ptr(device.name);
		device_free(&device);
		if (owner)
			return owner;
	}
	return NULL;
}

static int no_such_namespace(const struct root *root, const struct pmem_namespaces *namespaces, const char *name,
			     struct err *err)
{
	_cleanup_free_ char *owner = owner_of(root, namespaces, name);
	char text[NAME_ROOM];

	printable(name, text, sizeof(text));
	if (owner)
		return err_set(err, -ENODEV, "%s: not a namespace, but it belongs to %s", text, owner);
	if (namespaces->list.count && pmem_region_named(ndctl_namespace_get_ctx(namespaces->list.items[0]), name))
		return err_set(err, -ENODEV, "%s: not a namespace, but a region (see 'ndctl retire-region')",
			       text);
	return err_set(err, -ENODEV, "%s: no such namespace (see 'ndctl list -N -i')", text);
}

int pmem_find_named(const struct root *root, const struct request *request,
		    const struct pmem_namespaces *namespaces, const char *name, struct look *look, struct err *err)
{
	char text[NAME_ROOM];
	const char *refusing;

	array_each(ndns, &namespaces->list) {
		if (strcmp(ndctl_namespace_get_devname(*ndns), name) != 0)
			continue;
		refusing = pmem_refusing_filter(request, ndctl_namespace_get_region(*ndns));
		if (refusing)
			return err_set(err, -ENODEV, "%s: not on %s", name,
				       printable(refusing, text, sizeof(text)));
		if (!ndctl_namespace_get_size(*ndns))
			return err_set(err, -ENXIO, "%s: it has no capacity (a seed for 'ndctl create-namespace')",
				       name);
		return pmem_add_namespace(root, *ndns, look, err);
	}
	return no_such_namespace(root, namespaces, name, err);
}

static int find_all(const struct root *root, const struct request *request,
		    const struct pmem_namespaces *namespaces, struct look *look, struct err *err)
{
	array_each(ndns, &namespaces->list) {
		int rc;

		if (pmem_refusing_filter(request, ndctl_namespace_get_region(*ndns)) ||
		    !ndctl_namespace_get_size(*ndns))
			continue;
		rc = pmem_add_namespace(root, *ndns, look, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int find_names(const struct root *root, const struct request *request,
		      const struct pmem_namespaces *namespaces, struct look *look, struct err *err)
{
	for (size_t i = 0; i < request->name_count; i++) {
		const char *name = request->names[i];
		int rc;

		if (strcmp(name, "all") != 0)
			rc = pmem_find_named(root, request, namespaces, name, look, err);
		else if (request->name_count == 1)
			rc = find_all(root, request, namespaces, look, err);
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

int pmem_begin(const struct root *root, const struct request *request, struct look *look, struct ndctl_ctx **ctx,
	       struct pmem_namespaces *namespaces, struct err *err)
{
	int rc = pmem_open(ctx, err);

	look->initial_namespaces = sees_everybody(root);
	if (rc < 0)
		return rc;
	rc = pmem_list(*ctx, namespaces);
	if (rc < 0)
		return err_errno(err, rc, "cannot list namespaces");
	return check_filters(*ctx, request, err);
}

static int find_pmem(const struct root *root, const struct request *request, struct look *look, struct err *err)
{
	_cleanup_namespaces_ struct pmem_namespaces namespaces = { { 0 } };
	_cleanup_ndctl_ struct ndctl_ctx *ctx = NULL;
	int rc;

	rc = pmem_begin(root, request, look, &ctx, &namespaces, err);
	return rc < 0 ? rc : find_names(root, request, &namespaces, look, err);
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
	int rc = root->recorded ? 0 : child_run(try_finding, &finding, -1, deadline_in(FINDING_MS), NULL, &left);

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
