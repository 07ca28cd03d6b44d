// SPDX-License-Identifier: GPL-2.0-or-later
/* The power of a card: its PCI device is removed, then its slot switched off; and the way back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retire/slot.h"
#include "retire/targets/cxl-changes.h"
#include "retire/targets/cxl.h"
#include "retire/targets/sysfs.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/root.h"

/* A card in a slot needs a second for its link (PCIe 5.0, 6.6.1), and its driver a moment. */
enum { PATIENCE_MS = 15000, BETWEEN_MS = 50 };

#define PCI_DEVICES "/sys/bus/pci/devices"
#define PCI_SLOTS   "/sys/bus/pci/slots"

/* Another function of what is in the slot would lose its power, too: -ENOTUNIQ. */
static int check_alone(const struct root *root, const char *host)
{
	_cleanup_names_ struct sysfs_names functions = { { 0 } };
	char prefix[64];
	int rc;

	snprintf(prefix, sizeof(prefix), "%.*s.", (int)strcspn(host, "."), host);
	rc = sysfs_names_read(root, prefix, &functions, PCI_DEVICES);
	array_each(function, &functions.list)
		if (rc == 0 && strcmp(*function, host) != 0)
			rc = -ENOTUNIQ;
	return rc;
}

/* 1 it is there, 0 not, or a negative errno. */
static int has_device(const struct root *root, const char *host)
{
	return root_findf(root, PCI_DEVICES "/%s", host);
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
	int rc;

	if (!address || strlen(address) != length || strncmp(address, host, length) != 0)
		return -ESTALE;
	rc = has_device(root, host);
	if (rc <= 0)
		return rc;
	if (root_numberf(root, &class, PCI_DEVICES "/%s/class", host) < 0)
		return -EPERM;
	return class >> 8 == CLASS_CXL_MEMORY ? 0 : -EPERM;
}

/* It has no driver any more: nothing maps its memory. */
static int check_unused(const struct root *root, const struct device *device)
{
	_cleanup_free_ char *name = cxl_memdev_now(root, device);
	int rc;

	if (!name)
		return errno == ENODEV ? 0 : -errno;
	rc = cxl_has_driver(root, name);
	return rc > 0 ? -EADDRINUSE : rc;
}

static int remove_device(const struct root *root, const char *host)
{
	int rc = sysfs_write(root, "1", PCI_DEVICES "/%s/remove", host);

	if (rc == -ENOENT)
		return 0;
	return rc == 0 && has_device(root, host) != 0 ? -EIO : rc;
}

static int switch_off(const struct root *root, const char *slot)
{
	int rc = sysfs_write(root, "0", PCI_SLOTS "/%s/power", slot);

	/* what cannot be read back is not off */
	return rc == 0 && slot_power(root, slot) != SLOT_OFF ? -EIO : rc;
}

int cxl_memdev_power_off(const struct root *root, const struct device *device)
{
	const char *host = device->cxl.host, *slot = device->cxl.slot;
	int rc = check_unused(root, device);

	if (rc == 0 && (!host || !slot))
		rc = -ENODEV;
	rc = rc < 0 ? rc : check_place(root, host, slot);
	rc = rc < 0 ? rc : check_alone(root, host);
	if (rc == 0 && has_device(root, host) == 0 && slot_power(root, slot) == SLOT_OFF)
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
	/* one that may have power is not touched: its card is looked for */
	if (slot && slot_power(root, slot) == SLOT_OFF)
		rc = sysfs_write(root, "1", PCI_SLOTS "/%s/power", slot);
	else
		rc = sysfs_write(root, "1", "/sys/bus/pci/rescan");
	return rc < 0 ? rc : await_card(root, device);
}
