// SPDX-License-Identifier: GPL-2.0-or-later
#include "retire/report-fields.h"

#include <inttypes.h>
#include <stdio.h>

#include "retire/report-words.h"
#include "util/cleanup.h"

/* Owns `value` from here on, also when it cannot be added. */
void json_put(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value) < 0)
		json_object_put(value);
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (!array || json_object_array_add(array, value) < 0)
		json_object_put(value);
}

void json_put_text(struct json_object *object, const char *key, const char *text)
{
	_cleanup_free_ char *valid = text ? valid_utf8(text) : NULL;

	if (valid)
		json_put(object, key, json_object_new_string(valid));
}

void json_put_number(struct json_object *object, const char *key, uint64_t number)
{
	json_put(object, key, json_object_new_uint64(number));
}

void json_put_true(struct json_object *object, const char *key, bool value)
{
	if (value)
		json_put(object, key, json_object_new_boolean(true));
}

/* One decimal is what a step's time is worth; a negative time was not taken. */
void json_put_ms(struct json_object *object, const char *key, double ms)
{
	char text[32];

	if (!(ms >= 0))
		return;
	snprintf(text, sizeof(text), "%.1f", ms);
	json_put(object, key, json_object_new_double_s(ms, text));
}

void json_put_size(struct json_object *object, const char *key, uint64_t bytes,
		   const struct report_options *options)
{
	char text[80];

	if (options && options->human && family_size(bytes, text, sizeof(text)))
		json_put_text(object, key, text);
	else
		json_put_number(object, key, bytes);
}
