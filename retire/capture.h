/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the model a journal keeps, as JSON objects: how a device, a mount, a
 * swap area or a process was before a step touched it. Written from the model
 * and read back into it; whatever is read is checked as if an enemy had
 * written it (bounded, typed, whole), since it is acted on as root.
 *
 * capture_* return a new object, NULL when memory is out; `captured_*` return
 * 0, or -EBADMSG when the object is none of theirs, or -ENOMEM.
 */
#ifndef RETIRE_CAPTURE_H
#define RETIRE_CAPTURE_H

#include "retire/model.h"

struct json_object;

struct json_object *capture_device(const struct device *device);
int captured_device(struct json_object *object, struct device *device);

/* What a CXL region or memdev is made of; cxl_free() when done. */
struct json_object *capture_cxl(const struct cxl *cxl);
int captured_cxl(struct json_object *object, struct cxl *cxl);

/* A mount with its namespace, which is told by its inode number. */
struct json_object *capture_mount(const struct look *look, const struct holder *mount);

struct captured_mount {
	struct mount mount;	   /* .ns is meaningless; mount_free() */
	struct mount_namespace ns; /* as it was told then; without a descriptor */
	bool pinned;		   /* look_is_pinned_mount() */
};

int captured_mount(struct json_object *object, struct captured_mount *captured);

struct json_object *capture_swap(const struct swap *swap);
int captured_swap(struct json_object *object, struct swap *swap);

/* Its blocks that are online, each with its zone; what is offline is none of it. The blocks are to be freed. */
struct json_object *capture_memory(const struct system_ram *memory);
int captured_memory(struct json_object *object, struct system_ram *memory);

/* What is served to others; the holder has its type. Its export or target is to be freed. */
struct json_object *capture_served(const struct holder *holder);
int captured_served(struct json_object *object, struct holder *holder);

/*
 * A loop or device-mapper device or an md array: what it is and what it takes to make it
 * again; holder_free() when done. A table comes back with "@0", the place of
 * one in `lower`, for each device: captured_stack_number() writes their numbers
 * there, when each `lower` has its own of now.
 */
struct json_object *capture_stack(const struct look *look, const struct holder *stack);
int captured_stack(struct json_object *object, enum holder_type type, struct holder *stack);
int captured_stack_number(struct holder *stack);

/* Who a process is, not what it uses. No pidfd comes with it. */
struct json_object *capture_process(const struct process *process);
int captured_process(struct json_object *object, struct process *process);

/* An empty object, a second owner of one, and one owner less (harmless on NULL). */
struct json_object *capture_new(void);
struct json_object *capture_share(struct json_object *object);
void capture_free(struct json_object *object);

/* An empty list for put_object(), an object with one, and what goes into it. */
struct json_object *capture_items(void);
struct json_object *capture_list(const char *key);
void capture_add(struct json_object *object, const char *key, struct json_object *item);

/* A device number as "259:0". */
struct json_object *capture_dev(dev_t dev);
int captured_dev(struct json_object *object, const char *key, dev_t *dev);

/* Fields of an object. Text: NULL when there is none; it lives as long as the object. */
void put_text(struct json_object *object, const char *key, const char *text);
void put_number(struct json_object *object, const char *key, uint64_t number);
void put_dev(struct json_object *object, const char *key, dev_t dev);
void put_bool(struct json_object *object, const char *key, bool value);
void put_object(struct json_object *object, const char *key, struct json_object *value);
const char *text_of(struct json_object *object, const char *key);
uint64_t number_of(struct json_object *object, const char *key); /* 0 when there is none */
int captured_number(struct json_object *object, const char *key,
		    uint64_t *number); /* -EBADMSG: none, or below 0 */
bool bool_of(struct json_object *object, const char *key);
struct json_object *object_of(struct json_object *object, const char *key); /* NULL when there is none */

/* Lists: length 0 when there is none. */
size_t length_of(struct json_object *object, const char *key);
struct json_object *item_of(struct json_object *object, const char *key, size_t index);
const char *item_text(struct json_object *object, const char *key, size_t index); /* NULL when it is no text */
bool has_list(struct json_object *object, const char *key);
struct json_object *capture_text(const char *text);

#endif
