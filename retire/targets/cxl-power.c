// SPDX-License-Identifier: GPL-2.0-or-later
/* The power of a card: its PCI device is removed, then its slot switched off; and the way back. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/root.h"
#include "util/text.h"

/* A card in a slot needs a second for its link (PCIe 5.0, 6.6.1), and its driver a moment. */
enum { PATIENCE_MS = 15000, BETWEEN_MS = 50 };

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_SLOTS   "/sys/bus/pci/slots"

/* Another function of what is in the slot would lose its power, too. */
static bool has_another_function(const struct root *root, const char *host)
{
	_cleanup_closedir_ DIR *dir = root_opendirf(root, PCI_DEVICES);
	size_t length = strcspn(host, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, host, length) == 0 && entry->d_name[length] == '.' &&
		    strcmp(entry->d_name, host) != 0)
			return true;
	return false;
}

static bool has_power(const struct root *root, const char *slot)
{
	uint64_t power;

	return root_numberf(root, &power, PCI_SLOTS "/%s/power", slot) < 0 || power;
}

enum { CLASS_CXL_MEMORY = 0x0502 }; /* include/linux/pci_ids.h: PCI_CLASS_MEMORY_CXL */

/*
 * Where a journal says it, too, nothing but a card of CXL loses its power, and no
 * slot but the one that it is in.
 */
static int check_place(const struct root *root, const char *host, const char *slot)
{
	_cleanup_free_ char *address = root_attributef(root, PCI_SLOTS "/%s/address", slot);
	size_t length = strcspn(host, ".");
	uint64_t class;

	if (!address || strlen(address) != length || strncmp(address, host, length) != 0)
		return -ESTALE;
	if (!root_existsf(root, PCI_DEVICES "/%s", host))
		return 0;
	if (root_numberf(root, &class, PCI_DEVICES "/%s/class", host) < 0)
		return -EPERM;
	return class >> 8 == CLASS_CXL_MEMORY ? 0 : -EPERM;
}

/* It has no driver any more: nothing maps its memory. */
static int check_unused(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device), *driver = NULL;

	if (!name)
		return errno == ENODEV ? 0 : -errno;
	driver = cxl_driver(root, name);
	return driver ? -EADDRINUSE : 0;
}

static int remove_device(const struct root *root, const char *host)
{
	int rc = sysfs_write(root, "1", PCI_DEVICES "/%s/remove", host);

	if (rc == -ENOENT)
		return 0;
	return rc == 0 && root_existsf(root, PCI_DEVICES "/%s", host) ? -EIO : rc;
}

static int switch_off(const struct root *root, const char *slot)
{
	int rc = sysfs_write(root, "0", PCI_SLOTS "/%s/power", slot);

	return rc == 0 && has_power(root, slot) ? -EIO : rc;
}

int cxl_memdev_power_off(const struct root *root, const struct device *device)
{
	const char *host = device->cxl.host, *slot = device->cxl.slot;
	int rc = check_unused(root, device);

	if (rc == 0 && (!host || !slot))
		rc = -ENODEV;
	rc = rc < 0 ? rc : check_place(root, host, slot);
	if (rc == 0 && has_another_function(root, host))
		rc = -ENOTUNIQ;
	if (rc == 0 && !root_existsf(root, PCI_DEVICES "/%s", host) && !has_power(root, slot))
		return 1;
	rc = rc < 0 ? rc : remove_device(root, host);
	return rc < 0 ? rc : switch_off(root, slot);
}

/* 0 it is there; -ENODEV not yet. */
static int is_back(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device);

	return name ? 0 : -errno;
}

static int await_card(const struct root *root, const struct device *device)
{
	struct deadline deadline = deadline_in(PATIENCE_MS);
	int rc = is_back(root, device);

	while (rc == -ENODEV && !deadline_passed(deadline)) {
		wait_readable(-1, -1, deadline_in(BETWEEN_MS));
		rc = is_back(root, device);
	}
	return rc;
}

int cxl_memdev_power_on(const struct root *root, const struct device *device)
{
	const char *slot = device->cxl.slot;
	int rc = is_back(root, device);

	if (rc != -ENODEV)
		return rc < 0 ? rc : 1;
	rc = slot && device->cxl.host ? check_place(root, device->cxl.host, slot) : 0;
	if (rc < 0)
		return rc;
	if (slot && !has_power(root, slot))
		rc = sysfs_write(root, "1", PCI_SLOTS "/%s/power", slot);
	else
		rc = sysfs_write(root, "1", "/sys/bus/pci/rescan");
	return rc < 0 ? rc : await_card(root, device);
}
