/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of CXL share: the facts about one region or memdev, and what
 * has to be gone before it goes. Only for targets/.
 *
 * The kernel checks nothing: it takes a driver, a decoder, a card away under
 * memory that is online, and most of these switch the decoders off before the
 * drivers above can flush (drivers/cxl/core/region.c, port.c). So each change
 * here reads right before it that what stands above is gone, and -EBUSY else.
 */
#ifndef RETIRE_TARGETS_CXL_H
#define RETIRE_TARGETS_CXL_H

#include "retire/model.h"
#include "retire/targets/cxl-bus.h"

struct root;
struct sysfs_names;

/* What the kernel does when it does not answer: finding_gave_up(). */
#define CXL_REMOVED "a CXL device or what stands on one"

/* As pmem_describe(), of a region or a memdev by its name. The slot of a memdev: cxl_find_slots(). */
int cxl_region_describe(const struct root *root, const char *name, struct device *device);
int cxl_memdev_describe(const struct root *root, const char *name, struct device *device);

/* Fills the slot of each memdev of the look that is in one. 0 or a negative errno. */
int cxl_find_slots(const struct root *root, struct look *look);

/* The names of the dax devices on the region at that path that have capacity, or a driver. 0 or a negative errno.
 */
int cxl_region_dax(const struct root *root, const char *path, struct sysfs_names *names);

/* Dax devices with a driver that are on no region, and where their memory is. */
struct cxl_other {
	char *name;
	struct memory_ranges memory;
};

struct cxl_others {
	ARRAY_OF(struct cxl_other) list;
};

/* Fills *others, which the caller frees whatever is returned. 0 or a negative errno. */
int cxl_others_read(const struct root *root, struct cxl_others *others);
void cxl_others_free(struct cxl_others *others);

/* Who of them has memory there; NULL: nobody. */
const char *cxl_other_at(const struct cxl_others *others, const struct memory_range *range);

/* The addresses that an endpoint decoder is programmed for; of size 0: for none. 0 or a negative errno. */
int cxl_decoder_range(const struct root *root, const char *decoder, struct memory_range *range);

/* 0: no memory there is online, or one of theirs; -EADDRINUSE: some is; other negative errno. */
int cxl_check_range(const struct root *root, const struct memory_range *range);

/* What the memdev is called now: found by its serial number, or where it has none by its place. Caller frees; NULL
 * with errno set: ENODEV, or ESTALE when there is another one in its place. */
char *cxl_memdev_now(const struct root *root, const struct device *device);

/*
 * In which order regions go, as indices, one for each: on one memdev the one
 * whose decoder has the highest number is first; else as they are. 0 or -ENOMEM.
 */
int cxl_order_regions(const struct look *regions, size_t *order);

/* Fills device->below of all devices of the look; a region over several memdevs hangs on the first. 0 or -ENOMEM.
 */
int cxl_find_below(struct look *look);

/* The devices of `was` as they are now: what has gone with a region or a card is there as disabled. */
int cxl_find_again(const struct root *root, const struct look *was, struct look *look, struct err *err);

#endif
