// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/targets/targets.h"
#include "test/unit/cxl-tree.h"
#include "util/cleanup.h"

void text(const struct fixture *f, const char *value, const char *fmt, ...)
{
	char place[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	tree_text(&f->place.tree, place, value);
}

void on_bus(const struct fixture *f, const char *bus, const char *path)
{
	char place[128], target[256];

	snprintf(place, sizeof(place), "/sys/bus/%s/devices/%s", bus, strrchr(path, '/') + 1);
	snprintf(target, sizeof(target), "../../../%s", path + strlen("/sys/"));
	tree_link(&f->place.tree, place, target);
}

void drive(const struct fixture *f, const char *bus, const char *path, const char *driver)
{
	char place[256], target[256];

	snprintf(place, sizeof(place), "%s/driver", path);
	snprintf(target, sizeof(target), "../../../../bus/%s/drivers/%s", bus, driver);
	tree_link(&f->place.tree, place, target);
	text(f, "", "/sys/bus/%s/drivers/%s/unbind", bus, driver);
}

/* memN in 0000:0N:00.0, its endpoint with two free decoders. */
static void memdev(const struct fixture *f, int number, const char *serial)
{
	char path[128], link[128];

	snprintf(path, sizeof(path), "/sys/devices/pci0000:00/0000:0%d:00.0/mem%d", number, number);
	text(f, serial, "%s/serial", path);
	text(f, "0x40000000\n", "%s/ram/size", path);
	on_bus(f, "cxl", path);
	drive(f, "cxl", path, "cxl_mem");
	snprintf(link, sizeof(link), ROOT "/port1/endpoint%d", 2 + number);
	for (int i = 0; i < 2; i++) {
		char decoder[192];

		snprintf(decoder, sizeof(decoder), "%s/decoder%d.%d", link, 2 + number, i);
		text(f, "\n", "%s/region", decoder);
		text(f, "ram\n", "%s/mode", decoder);
		text(f, "0x0\n", "%s/dpa_size", decoder);
		text(f, "0x0\n", "%s/dpa_resource", decoder);
		on_bus(f, "cxl", decoder);
	}
	on_bus(f, "cxl", link);
	strcat(link, "/uport");
	snprintf(path, sizeof(path), "../../../../../pci0000:00/0000:0%d:00.0/mem%d", number, number);
	tree_link(&f->place.tree, link, path);
	text(f, "1\n", "/sys/bus/pci/slots/%d/power", number);
	snprintf(path, sizeof(path), "0000:0%d:00\n", number);
	text(f, path, "/sys/bus/pci/slots/%d/address", number);
}

/* region0 over mem1 and mem2: a device-dax that nobody has */
int cxl_make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *region = ROOT "/decoder0.0/region0", *dax = ROOT "/decoder0.0/region0/dax_region0/dax0.0";

	place_open(&f->place);
	memdev(f, 1, "0xaa\n");
	memdev(f, 2, "0xbb\n");
	text(f, "", ROOT "/decoder0.0/delete_region");
	text(f, "region0\n", ROOT "/decoder0.0/create_ram_region");
	on_bus(f, "cxl", ROOT "/decoder0.0");
	for (int i = 0; i < 2; i++) {
		char decoder[32];

		snprintf(decoder, sizeof(decoder), "decoder%d.0\n", 3 + i);
		text(f, decoder, "%s/target%d", region, i);
		text(f, "region0\n", ROOT "/port1/endpoint%d/decoder%d.0/region", 3 + i, 3 + i);
		text(f, "0x8000000\n", ROOT "/port1/endpoint%d/decoder%d.0/dpa_size", 3 + i, 3 + i);
	}
	text(f, "ram\n", "%s/mode", region);
	text(f, "0x10000000\n", "%s/size", region);
	text(f, "0x80000000\n", "%s/resource", region);
	text(f, "2\n", "%s/interleave_ways", region);
	text(f, "256\n", "%s/interleave_granularity", region);
	text(f, "1\n", "%s/commit", region);
	on_bus(f, "cxl", region);
	drive(f, "cxl", region, "cxl_region");
	text(f, "268435456\n", "%s/size", dax);
	text(f, "0x80000000\n", "%s/mapping0/start", dax);
	text(f, "0x8fffffff\n", "%s/mapping0/end", dax);
	on_bus(f, "dax", dax);
	tree_text(&f->place.tree, "/sys/devices/system/memory/block_size_bytes", "8000000\n");
	*state = f;
	return 0;
}

int cxl_remove(void **state)
{
	struct fixture *f = *state;

	look_free(&f->look);
	look_free(&f->again);
	place_close(&f->place);
	free(f);
	return 0;
}

int find_with(struct fixture *f,
	      int (*how)(const struct root *root, const struct request *request, struct look *look,
			 struct err *err),
	      const char *name, const char *bus, const char *decoder)
{
	const struct request request = {
		.names = &name, .name_count = 1, .bus = bus, .decoder = decoder, .dry_run = true
	};

	look_free(&f->look);
	return how(&f->place.root, &request, &f->look, &f->err);
}

int find(struct fixture *f, const char *name)
{
	return find_with(f, targets_find_cxl, name, NULL, NULL);
}

struct device *found(struct fixture *f, size_t which)
{
	assert_true(which < f->look.devices.count);
	return &f->look.devices.items[which];
}

/* What the file now has, without its newline. */
void reads(const struct fixture *f, const char *expected, const char *name)
{
	_cleanup_free_ char *is = root_attributef(&f->place.root, "%s", name);

	assert_non_null(is);
	assert_string_equal(is, expected);
}
