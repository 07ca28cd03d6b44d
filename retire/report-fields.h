/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of the JSON output: what is not there is left out. */
#ifndef RETIRE_REPORT_FIELDS_H
#define RETIRE_REPORT_FIELDS_H

#include <json-c/json.h>

#include "retire/report.h"

/* These own `value` from here on, also when it cannot be added. */
void json_put(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

/* As UTF-8, whatever the bytes are; NULL is left out. */
void json_put_text(struct json_object *object, const char *key, const char *text);
void json_put_number(struct json_object *object, const char *key, uint64_t number);
void json_put_true(struct json_object *object, const char *key, bool value); /* false is left out */
void json_put_ms(struct json_object *object, const char *key, double ms);    /* as is a negative time */
void json_put_size(struct json_object *object, const char *key, uint64_t bytes,
		   const struct report_options *options);

/* report-json-look.c: what one look at the machine found. */
struct json_object *json_device(const struct result *result, size_t index, const struct report_options *options);
struct json_object *json_holder(const struct look *look, const struct holder *holder,
				const struct report_options *options);

/* Is known whether a card can be pulled? And, of the memdev of that index, can it: neither it nor a region that
 * has a part of it is used by anybody. */
bool tells_ready(const struct result *result);
bool is_ready_to_remove(const struct result *result, size_t index);

#endif
