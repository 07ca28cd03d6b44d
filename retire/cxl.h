/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CXL region or memdev is made of: enough to know it again, and to make
 * a region again. Plain data; who reads sysfs is targets/cxl-*.c.
 *
 * A region is a range of addresses that a root decoder gives to one or more
 * memdevs in turn (interleaved): each has an endpoint decoder that maps a part
 * of the memdev's own memory (DPA) at the region's position.
 */
#ifndef RETIRE_CXL_H
#define RETIRE_CXL_H

#include <stdbool.h>
#include <stdint.h>

#include "retire/aer.h"
#include "util/array.h"

/* One position of a region. Names are of this boot; the serial number tells the card. */
struct cxl_target {
	char *decoder;		      /* the endpoint decoder "decoder2.0"; NULL: nothing is there */
	char *memdev;		      /* "mem0"; NULL: its endpoint has gone */
	uint64_t serial;	      /* of the memdev */
	uint64_t dpa_start, dpa_size; /* bytes, in the memory of the memdev */
};

struct cxl {
	/* of a region */
	char *root_decoder;   /* "decoder0.0" */
	uint64_t ways;	      /* positions */
	uint64_t granularity; /* bytes that go to one of them before the next; 0: not set */
	bool committed;	      /* its decoders are programmed */
	bool locked;	      /* … by firmware, for good: one of its decoders says so */
	bool refuses;	      /* … and the kernel refuses to take it down: it says so of the region itself */
	char *later; /* a region that was committed after it on one of its cards, and is none of the look; NULL */
	ARRAY_OF(struct cxl_target) targets; /* by position */

	/* of either */
	char *other;  /* a dax device that is on no region, "dax1.0", has memory of it in use; NULL: none has */
	bool unowned; /* memory of this system lies there that no dax device has */

	/* of a memdev */
	uint64_t serial;  /* 0: it has none, or it cannot be read */
	char *host;	  /* the PCI device "0000:35:00.0"; NULL: it is none */
	char *slot;	  /* whose power goes on and off with it, by its name in /sys/bus/pci/slots; NULL: none */
	char *port;	  /* the PCI port above it, "0000:34:00.0"; NULL: none, or out of a journal */
	bool port_counts; /* … counts errors of the link … */
	struct aer_counts counted; /* … and had so many when it was looked at */
	int numa_node;		   /* -1: none */
	uint64_t ram_size, pmem_size;

	bool absent; /* of either: it is not there any more, and its slot has no power */
};

/* What is done to CXL devices besides giving them to drivers and taking them away; each has its way back below it.
 */
enum cxl_change {
	CXL_DECOMMIT, /* the decoders of a region are reset … */
	CXL_COMMIT,   /* … and programmed as they were, of a region that is made again where there is none */
	CXL_ERASE,    /* a region is deleted */
	CXL_POWER_OFF,
	CXL_POWER_ON,
	CXL_CHANGES
};

/* Fills `to` with copies. 0 or -ENOMEM; cxl_free() in any case. */
int cxl_copy(const struct cxl *cxl, struct cxl *to);
void cxl_free(struct cxl *cxl);

/* How a user calls a memdev: its name, its PCI address, or its serial number, decimal or with 0x; each wholly. */
bool cxl_is_called(const char *called, const char *name, const char *host, uint64_t serial);

/* The number behind the point of "decoder2.1": on one memdev they are committed in that order. */
uint64_t cxl_decoder_number(const char *decoder);

/* Is the decoder one of the same port? "decoder2.0" and "decoder2.1" are. */
bool cxl_decoder_is_beside(const char *decoder, const char *other);

/* False of a region whose cards were all pulled: only the shell is left. */
bool cxl_has_cards(const struct cxl *region);

/* Does the region have a part of the memdev, by what that is called in the same look? */
bool cxl_has_target(const struct cxl *region, const char *memdev);

#endif
