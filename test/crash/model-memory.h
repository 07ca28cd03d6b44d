/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the system on the devices of the model: blocks, in zones, online or not. */
#ifndef TEST_CRASH_MODEL_MEMORY_H
#define TEST_CRASH_MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "retire/effects.h"

enum { MODEL_BLOCKS = 3, MODEL_BLOCK_SIZE = 1 << 27 };

struct model_block {
	bool there, online, stays; /* `stays`: something keeps it online */
	uint8_t zone;		   /* enum memory_zone */
	pid_t keeper;		   /* pins a page of it as soon as another block is offline; 0: nobody */
};

struct model;
struct model_state;

uint64_t model_block_number(int device, int block);

/* As kmem adds it with auto_online_blocks "offline", and as it leaves. */
void model_add_memory(struct model_state *state, int device);
void model_remove_memory(struct model_state *state, int device);
bool model_has_online_memory(const struct model_state *state, int device);

/* Who keeps pages of a block where they are now: its number; -1: nobody. */
int model_block_keeper(const struct model_state *state, int device, int block);

/* Somebody brings the first block online that is not, into one zone or another; false: there is none. */
bool model_admin_onlines(struct model *model, bool movable);

/* What a look sees. Aborts when memory is out. */
void model_read_memory(const struct model_state *state, int device, struct system_ram *memory);

void model_memory_effects_init(struct effects *effects);

#endif
