// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes into a journal comes out of it, byte for byte; and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <sys/sysmacros.h>

#include "retire/capture.h"
#include "util/cleanup.h"

/* Through text, as a journal does. */
static struct json_object *through_text(struct json_object *object)
{
	struct json_object *again;

	assert_non_null(object);
	again = json_tokener_parse(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	assert_non_null(again);
	capture_free(object);
	return again;
}

static const char *const odd_texts[] = { "plain",
					 "with \"quotes\" and \\ and /",
					 "line\nline\ttab\r\b\f\x01\x1f\x7f",
					 "\xff\xfe no UTF-8 \x80\xc3",
					 "\xf0\x9f\x98\x80 and \xe2\x80\xa8",
					 "\\u0000 %s %n",
					 "" };

static void a_device_comes_back_whole(void **state)
{
	struct device device = { .name = (char[]){ "namespace0.0" },
				 .path = (char[]){ "/sys/devices/LNXSYSTM:00/ndbus0/region0/namespace0.0" },
				 .mode = MODE_SECTOR,
				 .enabled = true,
				 .driver_device = (char[]){ "btt0.0" },
				 .driver = (char[]){ "nd_btt" },
				 .blockdev = (char[]){ "pmem0s" },
				 .dev = makedev(4095, 1048575),
				 .size = UINT64_MAX,
				 .uuid = (char[]){ "b0a9c0d7-0000-4000-8000-000000000000" } };
	struct json_object *object = through_text(capture_device(&device));
	struct device again;

	(void)state;
	assert_int_equal(captured_device(object, &again), 0);
	assert_string_equal(again.name, device.name);
	assert_string_equal(again.path, device.path);
	assert_int_equal(again.type, DEVICE_PMEM_NAMESPACE);
	assert_int_equal(again.mode, MODE_SECTOR);
	assert_true(again.enabled);
	assert_false(again.system_ram);
	assert_string_equal(again.driver_device, "btt0.0");
	assert_string_equal(again.driver, "nd_btt");
	assert_string_equal(again.blockdev, "pmem0s");
	assert_string_equal(again.uuid, device.uuid);
	assert_true(again.dev == device.dev);
	assert_true(again.size == UINT64_MAX);
	device_free(&again);
	capture_free(object);
}

static void a_disabled_device_has_less(void **state)
{
	struct device device = { .name = (char[]){ "namespace0.0" },
				 .path = (char[]){ "/sys/devices/x" },
				 .mode = MODE_RAW };
	struct json_object *object = through_text(capture_device(&device));
	struct device again;

	(void)state;
	assert_int_equal(captured_device(object, &again), 0);
	assert_null(again.driver_device);
	assert_null(again.driver);
	assert_null(again.blockdev);
	assert_null(again.uuid);
	assert_true(again.dev == 0);
	assert_false(again.enabled);
	device_free(&again);
	capture_free(object);
}

static void mount_round_trip(const char *text)
{
	_cleanup_free_ char *copy = strdup(text), *point = NULL;
	struct look look = { 0 };
	struct mount_namespace *ns = array_add(&look.namespaces);
	struct holder mount = { .type = HOLDER_MOUNT };
	struct captured_mount again;
	struct json_object *object;

	assert_true(asprintf(&point, "/%s", *text && strlen(text) < 1000 && !strchr(text, '/') ? text : "mnt") >
		    0);
	*ns = (struct mount_namespace){ .ino = UINT64_MAX - 1, .fd = -1 };
	mount.mount = (struct mount){ .id = (uint64_t)1 << 63,
				      .dev = makedev(259, 3),
				      .root = point,
				      .point = point,
				      .options = copy,
				      .propagation = copy,
				      .fstype = copy,
				      .source = copy,
				      .super_options = copy,
				      .foreign = true };
	object = through_text(capture_mount(&look, &mount));
	assert_int_equal(captured_mount(object, &again), 0);
	assert_string_equal(again.mount.root, point);
	assert_string_equal(again.mount.point, point);
	assert_string_equal(again.mount.options, text);
	assert_string_equal(again.mount.propagation, text);
	assert_string_equal(again.mount.fstype, text);
	assert_string_equal(again.mount.source, text);
	assert_string_equal(again.mount.super_options, text);
	assert_true(again.mount.id == (uint64_t)1 << 63);
	assert_true(again.mount.dev == makedev(259, 3));
	assert_true(again.ns.ino == UINT64_MAX - 1);
	assert_true(again.mount.foreign);
	assert_false(again.pinned);
	mount_free(&again.mount);
	capture_free(object);
	look_free(&look);
}

static void a_mount_comes_back_byte_for_byte(void **state)
{
	_cleanup_free_ char *large = calloc(65537, 1);
	char all[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(odd_texts); i++)
		mount_round_trip(odd_texts[i]);
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	mount_round_trip(all);
	memset(large, 'x', 65536);
	mount_round_trip(large);
}

static void a_pinned_mount_is_told_as_one(void **state)
{
	struct look look = { 0 };
	struct mount_namespace *ns = array_add(&look.namespaces);
	char slash[] = "/", none[] = "";
	struct holder mount = { .type = HOLDER_MOUNT,
				.mount = { .root = slash,
					   .point = slash,
					   .options = none,
					   .propagation = none,
					   .fstype = none,
					   .source = none,
					   .super_options = none } };
	struct captured_mount again;
	struct json_object *object;

	(void)state;
	*ns = (struct mount_namespace){ .ino = 5, .fd = -1, .less_privileged = true };
	object = through_text(capture_mount(&look, &mount));
	assert_int_equal(captured_mount(object, &again), 0);
	assert_true(again.pinned);
	mount_free(&again.mount);
	capture_free(object);
	look_free(&look);
}

static void swap_comes_back_with_its_priority(void **state)
{
	static const int priorities[] = { 0, 1, -1, -2, 32767, -32768 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(priorities); i++) {
		struct swap swap = { .path = (char[]){ "/mnt/\xff \n\"swap" },
				     .priority = priorities[i],
				     .size = (uint64_t)1 << 40,
				     .file = i % 2 },
			    again;
		struct json_object *object = through_text(capture_swap(&swap));

		assert_int_equal(captured_swap(object, &again), 0);
		assert_string_equal(again.path, swap.path);
		assert_int_equal(again.priority, priorities[i]);
		assert_true(again.size == (uint64_t)1 << 40);
		assert_int_equal(again.file, i % 2);
		free(again.path);
		capture_free(object);
	}
}

static void what_is_served_comes_back(void **state)
{
	struct holder export = { .type = HOLDER_EXPORT }, target = { .type = HOLDER_NVME_TARGET }, again;
	struct json_object *object;

	(void)state;
	export.export = (struct export){ .path = (char[]){ "/mnt/\xff \n\"x" },
					 .client = (char[]){ "10.0.0.0/24" },
					 .options = (char[]){ "rw,sync" } };
	target.nvme = (struct nvme_target){
		.directory = (char[]){ "/sys/kernel/config/nvmet/subsystems/s/namespaces/1" },
		.backing = (char[]){ "/dev/pmem0" },
	};
	object = through_text(capture_served(&export));
	assert_int_equal(captured_served(object, &again), 0);
	assert_int_equal(again.type, HOLDER_EXPORT);
	assert_string_equal(again.export.path, export.export.path);
	assert_string_equal(again.export.client, "10.0.0.0/24");
	assert_string_equal(again.export.options, "rw,sync");
	export_free(&again.export);
	capture_free(object);
	object = through_text(capture_served(&target));
	assert_int_equal(captured_served(object, &again), 0);
	assert_int_equal(again.type, HOLDER_NVME_TARGET);
	assert_string_equal(again.nvme.directory, target.nvme.directory);
	assert_string_equal(again.nvme.backing, "/dev/pmem0");
	assert_null(again.nvme.uuid);
	nvme_target_free(&again.nvme);
	capture_free(object);
}

static void a_process_comes_back_as_who_it_is(void **state)
{
	struct process process = { .pid = INT_MAX, .starttime = UINT64_MAX, .comm = "a\xff(b) \n", .pidfd = 7 },
		       again;
	struct json_object *object = through_text(capture_process(&process));

	(void)state;
	assert_int_equal(captured_process(object, &again), 0);
	assert_int_equal(again.pid, INT_MAX);
	assert_true(again.starttime == UINT64_MAX);
	assert_string_equal(again.comm, process.comm);
	assert_int_equal(again.pidfd, -1);
	capture_free(object);
}

static void a_device_number_comes_back(void **state)
{
	struct json_object *object = through_text(capture_dev(makedev(259, 1048575)));
	dev_t dev;

	(void)state;
	assert_int_equal(captured_dev(object, "dev", &dev), 0);
	assert_true(dev == makedev(259, 1048575));
	assert_int_equal(captured_dev(object, "other", &dev), -EBADMSG);
	capture_free(object);
}

/* ---- what is none of ours */

static void swap_that_makes_no_sense_is_none(void **state)
{
	static const char *const wrong[] = { "{}",
					     "{\"path\":\"/x\"}",
					     "{\"path\":\"x\",\"priority\":1}",
					     "{\"path\":\"/x/..\",\"priority\":1}",
					     "{\"path\":7,\"priority\":1}",
					     "{\"path\":\"/x\",\"priority\":\"1\"}",
					     "{\"path\":\"/x\",\"priority\":4294967297}",
					     "{\"path\":\"/x\",\"priority\":-40000}",
					     "{\"path\":\"/x\\u0000y\",\"priority\":1}",
					     "[]",
					     "7",
					     "\"/x\"" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct json_object *object = json_tokener_parse(wrong[i]);
		struct swap swap;

		assert_int_equal(captured_swap(object, &swap), -EBADMSG);
		capture_free(object);
	}
}

static void a_process_that_makes_no_sense_is_none(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"{\"pid\":0,\"comm\":\"x\"}",
		"{\"pid\":1,\"comm\":\"x\"}",
		"{\"pid\":-5,\"comm\":\"x\"}",
		"{\"pid\":2147483648,\"comm\":\"x\"}",
		"{\"pid\":\"7\",\"comm\":\"x\"}",
		"{\"pid\":7}",
		"{\"pid\":7,\"comm\":\"01234567890123456789012345678901234567890123456789012345678901234\"}"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct json_object *object = json_tokener_parse(wrong[i]);
		struct process process;

		assert_int_equal(captured_process(object, &process), -EBADMSG);
		capture_free(object);
	}
}

/* One field at a time is taken out of what was right, or becomes something else. */
static void every_field_that_is_needed_is_missed(void **state)
{
	static const char *const needed[] = { "root",	"point",  "options",	   "propagation",
					      "fstype", "source", "super_options", "number" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		for (int how = 0; how < 3; how++) {
			struct json_object *object =
				json_tokener_parse("{\"root\":\"/\",\"point\":\"/"
						   "\",\"options\":\"\",\"propagation\":\"\",\"fstype\":\"x\","
						   "\"source\":\"x\",\"super_options\":\"\",\"number\":\"1:1\"}");
			struct captured_mount mount;

			assert_int_equal(captured_mount(object, &mount), 0);
			mount_free(&mount.mount);
			json_object_object_del(object, needed[i]);
			if (how)
				json_object_object_add(object, needed[i],
						       how == 1 ? json_object_new_int(7)
								: json_object_new_array());
			assert_int_equal(captured_mount(object, &mount), -EBADMSG);
			capture_free(object);
		}
}

static void fields_of_the_wrong_type_are_none(void **state)
{
	struct json_object *object = json_tokener_parse("{\"n\":-1,\"s\":\"x\",\"b\":1,\"l\":[1,\"t\"],\"o\":{}}");
	uint64_t number = 7;

	(void)state;
	assert_int_equal(number_of(object, "n"), 0);
	assert_int_equal(captured_number(object, "n", &number), -EBADMSG);
	assert_int_equal(captured_number(object, "s", &number), -EBADMSG);
	assert_int_equal(captured_number(object, "none", &number), -EBADMSG);
	assert_int_equal(number, 7);
	assert_false(bool_of(object, "b"));
	assert_null(text_of(object, "n"));
	assert_null(object_of(object, "l"));
	assert_non_null(object_of(object, "o"));
	assert_int_equal(length_of(object, "o"), 0);
	assert_true(has_list(object, "l"));
	assert_null(item_text(object, "l", 0));
	assert_string_equal(item_text(object, "l", 1), "t");
	assert_null(item_text(object, "l", 2));
	assert_null(item_of(NULL, "l", 0));
	assert_null(text_of(NULL, "x"));
	capture_free(object);
	capture_free(NULL);
}

static void a_text_beyond_the_bound_is_none(void **state)
{
	struct json_object *object = capture_new();
	_cleanup_free_ char *large = calloc(65538, 1);

	(void)state;
	memset(large, 'x', 65537);
	put_text(object, "x", large);
	assert_null(text_of(object, "x"));
	capture_free(object);
}

static void a_loop_device_comes_back_whole(void **state)
{
	struct look look = { 0 };
	struct holder loop = { .type = HOLDER_LOOP,
			       .name = (char[]){ "loop7" },
			       .dev = makedev(7, 7),
			       .loop = { .path = (char[]){ "/mnt/a \"b\"/image" },
					 .file = true,
					 .inode = 131,
					 .offset = 1 << 20,
					 .size_limit = 1UL << 40,
					 .block_size = 4096,
					 .read_only = true,
					 .partitions = true,
					 .direct_io = true,
					 .autoclear = true } },
		      again;
	struct json_object *object = through_text(capture_stack(&look, &loop));

	(void)state;
	assert_int_equal(captured_stack(object, HOLDER_LOOP, &again), 0);
	assert_string_equal(again.name, "loop7");
	assert_true(again.dev == loop.dev);
	assert_string_equal(again.loop.path, loop.loop.path);
	assert_true(again.loop.inode == 131 && again.loop.offset == 1 << 20 && again.loop.size_limit == 1UL << 40);
	assert_int_equal(again.loop.block_size, 4096);
	assert_true(again.loop.file && again.loop.read_only && again.loop.partitions && again.loop.direct_io &&
		    again.loop.autoclear);
	holder_free(&again);
	capture_free(object);
}

/* The numbers of what it stands on change from boot to boot. */
static void a_table_comes_back_with_the_numbers_of_now(void **state)
{
	struct device device = { .name = (char[]){ "namespace0.0" }, .dev = makedev(259, 0) };
	struct holder part = { .type = HOLDER_PARTITION, .name = (char[]){ "pmem0p1" }, .dev = makedev(259, 1) };
	struct dm_target targets[] = {
		{ 0, 2048, (char[]){ "linear" }, (char[]){ "259:1 2048" } },
		{ 2048, 4096, (char[]){ "striped" }, (char[]){ "2 128 259:0 0 259:1 8192" } },
		{ 6144, 8, (char[]){ "error" }, (char[]){ "" } },
	};
	struct lower lower[] = { { .dev = makedev(259, 1) }, { .dev = makedev(259, 0) } };
	struct look look = { .devices = { &device, 1, 1 }, .holders = { &part, 1, 1 } };
	struct holder dm = { .type = HOLDER_DM,
			     .name = (char[]){ "dm-3 (vg-data)" },
			     .dev = makedev(253, 3),
			     .dm = { .name = (char[]){ "vg-data" },
				     .uuid = (char[]){ "LVM-abc" },
				     .targets = { targets, 3, 3 },
				     .lower = { { lower, 2, 2 } } } },
		      again;
	struct json_object *object = through_text(capture_stack(&look, &dm));

	(void)state;
	assert_int_equal(captured_stack(object, HOLDER_DM, &again), 0);
	assert_string_equal(again.dm.name, "vg-data");
	assert_string_equal(again.dm.uuid, "LVM-abc");
	assert_int_equal(again.dm.lower.count, 2);
	assert_string_equal(again.dm.lower.items[0].name, "pmem0p1");
	assert_string_equal(again.dm.lower.items[1].name, "");
	assert_string_equal(again.dm.targets.items[1].params, "2 128 @1 0 @0 8192");
	again.dm.lower.items[0].dev = makedev(260, 9);
	again.dm.lower.items[1].dev = makedev(260, 8);
	assert_int_equal(captured_stack_number(&again), 0);
	assert_string_equal(again.dm.targets.items[0].params, "260:9 2048");
	assert_string_equal(again.dm.targets.items[1].params, "2 128 260:8 0 260:9 8192");
	assert_string_equal(again.dm.targets.items[2].params, "");
	assert_true(again.dm.targets.items[1].start == 2048 && again.dm.targets.items[1].length == 4096);
	holder_free(&again);
	capture_free(object);
}

#define TABLE(type, params)                                                                                       \
	"{\"name\":\"dm-0 (x)\",\"number\":\"253:0\",\"dm\":\"x\",\"uuid\":\"\",\"lower\":[{\"device\":0,"        \
	"\"name\":\"\"}],\"targets\":[{\"start\":0,\"length\":8,\"type\":\"" type "\",\"params\":\"" params       \
	"\"}]}"

/* The kernel takes a path, "8:1" and "801" for a device as well. */
static void a_table_names_nothing_but_what_is_below(void **state)
{
	static const char *const tables[] = {
		TABLE("linear", "8:1 0"),
		TABLE("linear", "801 0"),
		TABLE("linear", "/dev/sda1 0"),
		TABLE("linear", "@1 0"),
		TABLE("linear", "@ 0"),
		TABLE("linear", "@-1 0"),
		TABLE("linear", "  8:1 0"),
		TABLE("striped", "2 128 @0 0 8:1 0"),
		TABLE("thin-pool", "@0 8:1 128 0"),
		TABLE("thin", "@0 1 8:1"),
		TABLE("writecache", "p @0 8:1 4096 0"),
		TABLE("crypt", "aes 00 0 @0 0"),
		TABLE("multipath", "@0"),
		TABLE("", "@0 0"),
		"{\"name\":\"x\",\"number\":\"253:0\",\"dm\":\"a/b\",\"uuid\":\"\",\"lower\":[],\"targets\":[]}",
		"{\"name\":\"x\",\"number\":\"253:0\",\"dm\":\"x\",\"uuid\":\"\",\"lower\":[],\"targets\":[]}",
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		struct json_object *object = json_tokener_parse(tables[i]);
		struct holder stack;

		assert_int_equal(captured_stack(object, HOLDER_DM, &stack), -EBADMSG);
		json_object_put(object);
	}
}

static void an_array_comes_back_whole(void **state)
{
	struct device device = { .name = (char[]){ "namespace0.0" }, .dev = makedev(259, 0) };
	struct holder part = { .type = HOLDER_PARTITION, .name = (char[]){ "pmem0p1" }, .dev = makedev(259, 1) };
	struct lower lower[] = { { .dev = makedev(259, 1) }, { .dev = makedev(259, 0) } };
	struct look look = { .devices = { &device, 1, 1 }, .holders = { &part, 1, 1 } };

	(void)state;
	for (int level = -1; level <= 10; level++) {
		struct holder md = { .type = HOLDER_MD,
				     .name = (char[]){ "md127" },
				     .dev = makedev(9, 127),
				     .md = { .level = level,
					     .raid_disks = 3,
					     .major = 1,
					     .minor = 2,
					     .created = UINT32_MAX,
					     .read_only = level % 2,
					     .lower = { { lower, 2, 2 } } } },
			      again;
		struct json_object *object = through_text(capture_stack(&look, &md));

		assert_int_equal(captured_stack(object, HOLDER_MD, &again), 0);
		assert_string_equal(again.name, "md127");
		assert_true(again.dev == makedev(9, 127));
		assert_int_equal(again.md.level, level);
		assert_int_equal(again.md.raid_disks, 3);
		assert_int_equal(again.md.major * 100 + again.md.minor, 102);
		assert_true(again.md.created == UINT32_MAX);
		assert_int_equal(again.md.read_only, level % 2 != 0);
		assert_int_equal(again.md.lower.count, 2);
		assert_string_equal(again.md.lower.items[0].name, "pmem0p1");
		assert_string_equal(again.md.lower.items[1].name, "");
		holder_free(&again);
		capture_free(object);
	}
}

#define MD(name, number, more)                                                                                    \
	"{\"name\":\"" name "\",\"number\":\"" number                                                             \
	"\",\"level\":1,\"raid_disks\":2,\"major\":1,\"minor\":2" more "}"
#define MEMBER ",\"lower\":[{\"device\":0,\"name\":\"\"}]"

static void an_array_that_makes_no_sense_is_none(void **state)
{
	static const char *const arrays[] = {
		MD("md0", "8:0", MEMBER),
		MD("md0", "9:1", MEMBER),
		MD("sda1", "9:0", MEMBER),
		MD("md0/../sda1", "9:0", MEMBER),
		MD("md", "9:0", MEMBER),
		MD("md0", "9:0", ""),
		MD("md0", "9:0", ",\"lower\":[]"),
		MD("md0", "9:0", ",\"lower\":[7]"),
		MD("md0", "9:0", ",\"lower\":[{\"device\":-1,\"name\":\"\"}]"),
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(arrays); i++) {
		struct json_object *object = json_tokener_parse(arrays[i]);
		struct holder stack;

		assert_int_equal(captured_stack(object, HOLDER_MD, &stack), -EBADMSG);
		json_object_put(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_comes_back_whole),
		cmocka_unit_test(an_array_that_makes_no_sense_is_none),
		cmocka_unit_test(a_loop_device_comes_back_whole),
		cmocka_unit_test(a_table_comes_back_with_the_numbers_of_now),
		cmocka_unit_test(a_table_names_nothing_but_what_is_below),
		cmocka_unit_test(a_device_comes_back_whole),
		cmocka_unit_test(a_disabled_device_has_less),
		cmocka_unit_test(a_mount_comes_back_byte_for_byte),
		cmocka_unit_test(a_pinned_mount_is_told_as_one),
		cmocka_unit_test(swap_comes_back_with_its_priority),
		cmocka_unit_test(what_is_served_comes_back),
		cmocka_unit_test(a_process_comes_back_as_who_it_is),
		cmocka_unit_test(a_device_number_comes_back),
		cmocka_unit_test(swap_that_makes_no_sense_is_none),
		cmocka_unit_test(a_process_that_makes_no_sense_is_none),
		cmocka_unit_test(every_field_that_is_needed_is_missed),
		cmocka_unit_test(fields_of_the_wrong_type_are_none),
		cmocka_unit_test(a_text_beyond_the_bound_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
