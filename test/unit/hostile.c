// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Journals that an enemy wrote, with checksums that fit: whatever they name,
 * nothing is done to anything but the device of theirs, nothing crashes, and
 * the end is "stuck" or an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/hostile-machine.h"
#include "util/cleanup.h"

#define HEAD                                                                                                      \
	"{\"journal\":1,\"id\":\"" ID "\",\"boot\":\"" BOOT "\",\"time\":1,\"command\":\"retire-namespace\","     \
	"\"evict\":\"none\",\"allow\":[],\"grace_ms\":1,\"timeout_ms\":1000,"
#define DEVICE_AS(name, path, number)                                                                             \
	"{\"dev\":\"" name "\",\"path\":\"" path                                                                  \
	"\",\"type\":\"pmem-namespace\",\"mode\":\"fsdax\",\"enabled\":true,\"node\":"                            \
	"\"pmem0\",\"number\":\"" number "\",\"size\":1}"
#define PATH   "/sys/devices/platform/ndbus0/region0/namespace0.0"
#define DEVICE DEVICE_AS("namespace0.0", PATH, "259:0")
#define MOUNT(source, number, fstype, point, more)                                                                \
	"{\"root\":\"/\",\"point\":\"" point "\",\"options\":\"rw\",\"propagation\":\"\",\"fstype\":\"" fstype    \
	"\",\"source\":\"" source "\",\"super_options\":\"rw\",\"number\":\"" number                              \
	"\",\"ns\":{\"ino\":4026531841,\"initial\":true}," more "\"id\":7}"
#define UNMOUNT(memo) "{\"step\":\"unmount\",\"device\":0,\"subject\":\"/mnt\",\"memo\":" memo "}"
#define SWAP_OFF(path, more)                                                                                      \
	"{\"step\":\"swap-off\",\"device\":0,\"subject\":\"swap\",\"memo\":{\"path\":\"" path                     \
	"\",\"priority\":5" more "}}"
#define WITHDRAW(memo) "{\"step\":\"withdraw\",\"device\":0,\"subject\":\"served\",\"memo\":{" memo "}}"
#define EXPORT(path, client, options)                                                                             \
	WITHDRAW("\"path\":\"" path "\",\"client\":\"" client "\",\"options\":\"" options "\"")
#define SUBSYSTEMS		   "/sys/kernel/config/nvmet/subsystems/"
#define TARGET(directory, backing) WITHDRAW("\"directory\":\"" directory "\",\"backing\":\"" backing "\"")
#define ARRAY(lower)                                                                                              \
	"{\"step\":\"md-stop\",\"device\":0,\"subject\":\"md0\",\"memo\":{\"name\":\"md0\",\"number\":\"9:0\","   \
	"\"level\":1,\"raid_disks\":2,\"major\":1,\"minor\":2,\"created\":7,\"lower\":[" lower "]}}"
#define TABLE(params, lower)                                                                                      \
	"{\"step\":\"dm-remove\",\"device\":0,\"subject\":\"dm-7\",\"memo\":{\"name\":\"dm-7\",\"number\":"       \
	"\"253:7\",\"dm\":\"x\",\"uuid\":\"\",\"lower\":[" lower                                                  \
	"],\"targets\":[{\"start\":0,\"length\":8,\"type\":\"linear\",\"params\":\"" params "\"}]}}"
#define LOOP(name, number, path, more)                                                                            \
	"{\"step\":\"loop-detach\",\"device\":0,\"subject\":\"loop0\",\"memo\":{\"name\":\"" name                 \
	"\",\"number\":\"" number "\",\"path\":\"" path "\",\"block_size\":512" more "}}"
#define OFFLINE(block_size, first, count)                                                                         \
	"{\"step\":\"offline-memory\",\"device\":0,\"subject\":\"system RAM of dax0.0\",\"memo\":{"               \
	"\"block_size\":" block_size ",\"runs\":[{\"first\":" first ",\"count\":" count                           \
	",\"zone\":\"Movable\"}]}}"
#define FREEZE(dev) "{\"step\":\"freeze\",\"device\":0,\"subject\":\"/mnt\",\"memo\":{\"dev\":\"" dev "\"}}"
#define UNBIND	    "{\"step\":\"unbind\",\"device\":0,\"subject\":\"namespace0.0\"}"
#define DONE	    "{\"at\":0,\"state\":\"done\"}"
#define COMMIT	    "{\"commit\":true}"

#define PLAN(devices, steps) HEAD "\"devices\":[" devices "],\"steps\":[" steps "]}"

/* One step that was done, not committed (recover) and committed (restore). */
static struct outcome_of act_on_step(const struct journal_tree *place, const char *plan)
{
	const char *const open[] = { plan, DONE }, *const committed[] = { plan, DONE, COMMIT,
									  "{\"end\":\"retired\"}" };
	struct outcome_of first = act_on(place, open, 2), second = act_on(place, committed, 4);

	if (strlen(first.noted.calls) + strlen(second.noted.calls) < sizeof(first.noted.calls))
		strcat(first.noted.calls, second.noted.calls);
	first.restored = second.restored;
	first.stuck += second.stuck;
	return first;
}

static void assert_refused(const struct journal_tree *place, const char *plan)
{
	struct outcome_of out = act_on_step(place, plan);

	assert_string_equal(out.noted.calls, "");
	assert_int_equal(out.recovered, OUTCOME_STUCK);
	assert_true(out.restored == OUTCOME_STUCK || out.restored == OUTCOME_ERROR ||
		    out.restored == OUTCOME_NOTHING_TO_DO);
	assert_true(out.stuck > 0);
}

/* As above; and that what is not there any more is given up as lost is as good. */
static void assert_unheeded(const struct journal_tree *place, const char *plan)
{
	struct outcome_of out = act_on_step(place, plan);

	assert_string_equal(out.noted.calls, "");
	assert_true(out.recovered == OUTCOME_STUCK || out.recovered == OUTCOME_RECOVERED);
	assert_true(out.restored == OUTCOME_STUCK || out.restored == OUTCOME_ERROR ||
		    out.restored == OUTCOME_NOTHING_TO_DO);
}

/* The honest one, so that the others are refused for what they say and nothing else. */
static void an_honest_journal_is_acted_on(void **state)
{
	struct journal_tree *place = *state;
	struct outcome_of out =
		act_on_step(place, PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "xfs", "/mnt", ""))));

	assert_string_equal(out.noted.calls, "mount /dev/pmem0;mount /dev/pmem0;mount /dev/pmem0;");
	out = act_on_step(place, PLAN(DEVICE, SWAP_OFF("/dev/pmem0", "")));
	assert_string_equal(out.noted.calls, "swapon /dev/pmem0;swapon /dev/pmem0;swapon /dev/pmem0;");
	out = act_on_step(place, PLAN(DEVICE, TARGET(SUBSYSTEMS "s/namespaces/1", "/dev/pmem0")));
	assert_string_equal(out.noted.calls, "offer /dev/pmem0;offer /dev/pmem0;offer /dev/pmem0;");
	out = act_on_step(place, PLAN(DEVICE, UNMOUNT(MOUNT("/dev/dm-0", "253:0", "xfs", "/mnt", ""))));
	assert_string_equal(out.noted.calls, "mount /dev/dm-0;mount /dev/dm-0;mount /dev/dm-0;");
	out = act_on_step(place, PLAN(DEVICE, LOOP("loop0", "7:0", "/dev/pmem0", "")));
	assert_string_equal(out.noted.calls, "put up loop0 on /dev/pmem0;put up loop0 on /dev/pmem0;"
					     "put up loop0 on /dev/pmem0;");
	out = act_on_step(place, PLAN(DEVICE, ARRAY("{\"device\":0,\"name\":\"\"}")));
	assert_string_equal(out.noted.calls, "put up md0 on 259:0;put up md0 on 259:0;put up md0 on 259:0;");
	out = act_on_step(place, PLAN(DEVICE, TABLE("@0 0", "{\"device\":0,\"name\":\"\"}")));
	assert_string_equal(out.noted.calls, "put up dm-7: 259:0 0;put up dm-7: 259:0 0;put up dm-7: 259:0 0;");
	out = act_on_step(place, PLAN(DEVICE, FREEZE("259:0")));
	assert_string_equal(out.noted.calls, "open fs-259:0;thaw it;");
	out = act_on_step(place, PLAN(DEVICE, UNBIND));
	assert_string_equal(out.noted.calls, "enable namespace0.0;");
}

static void a_mount_of_another_source_is_refused(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/sda1", "8:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/sda1", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem1", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/dm-1", "253:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/dm-0", "253:9", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/link-to-sda1", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/none", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("dev/pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("none", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("//dev/pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/../dev/pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/./pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0\\u0000/x", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/etc/passwd", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "overlay", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "sysfs", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "ext4", "mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "ext4", "/mnt/../etc", ""))),
		PLAN(DEVICE, UNMOUNT("{}")),
		PLAN(DEVICE, UNMOUNT("[]")),
		PLAN(DEVICE, UNMOUNT("null")),
		PLAN(DEVICE, UNMOUNT("\"/dev/sda1\"")),
		PLAN(DEVICE, "{\"step\":\"unmount\",\"device\":0,\"subject\":\"/mnt\"}"),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_refused(*state, plans[i]);
}

/* A restore takes the number of what has come back. */
static void a_mount_with_the_number_of_another_is_not_put_back(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "8:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259", "ext4", "/mnt", ""))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "4096:1", "ext4", "/mnt", ""))),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++) {
		const char *const records[] = { plans[i], DONE };
		struct outcome_of out = act_on(*state, records, 2);

		assert_string_equal(out.noted.calls, "");
		assert_int_equal(out.recovered, OUTCOME_STUCK);
	}
}

static void a_source_of_any_length_is_refused(void **state)
{
	static const size_t lengths[] = { 255, 4095, 4096, 65535, 65536, 65537, 1 << 20 };

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		_cleanup_free_ char *source = calloc(lengths[i] + 1, 1), *plan = NULL;

		memset(source, 'x', lengths[i]);
		source[0] = '/';
		if (asprintf(&plan,
			     PLAN(DEVICE, UNMOUNT("{\"root\":\"/\",\"point\":\"/mnt\",\"options\":\"rw\","
						  "\"propagation\":\"\",\"fstype\":\"xfs\",\"source\":\"%s\","
						  "\"super_options\":\"rw\",\"number\":\"259:0\","
						  "\"ns\":{\"ino\":4026531841,\"initial\":true}}")),
			     source) < 0)
			abort();
		assert_refused(*state, plan);
	}
}

/* They are told as lost; nothing is known of what they were on. */
static void a_foreign_mount_is_not_made_from_a_journal(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/sda1", "8:1", "ext4", "/mnt", "\"foreign\":true,"))),
		PLAN(DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "ext4", "/mnt", "\"foreign\":true,"))),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_string_equal(act_on_step(*state, plans[i]).noted.calls, "");
}

static void swap_elsewhere_is_not_turned_on(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, SWAP_OFF("/dev/sda1", "")),
		PLAN(DEVICE, SWAP_OFF("/dev/pmem1", "")),
		PLAN(DEVICE, SWAP_OFF("dev/pmem0", "")),
		PLAN(DEVICE, SWAP_OFF("/dev/../dev/pmem0", "")),
		PLAN(DEVICE, SWAP_OFF("/dev/link-to-sda1", "")),
		PLAN(DEVICE, SWAP_OFF("/etc/passwd", "")),
		PLAN(DEVICE, SWAP_OFF("/etc/passwd", ",\"file\":true")),
		PLAN(DEVICE, SWAP_OFF("/dev/pmem0", ",\"file\":true")),
		PLAN(DEVICE, SWAP_OFF("/dev/pmem0", ",\"priority\":4294967301")),
		PLAN(DEVICE, SWAP_OFF("/dev/pmem0", ",\"priority\":\"5\"")),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_refused(*state, plans[i]);
}

static void what_is_elsewhere_is_not_served(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, EXPORT("/etc", "*", "rw")),
		PLAN(DEVICE, EXPORT("/", "*", "rw")),
		PLAN(DEVICE, EXPORT("/etc/passwd", "*", "rw")),
		PLAN(DEVICE, EXPORT("/dev/pmem0", "*", "rw")),
		PLAN(DEVICE, EXPORT("/etc/../etc", "*", "rw")),
		PLAN(DEVICE, EXPORT("etc", "*", "rw")),
		PLAN(DEVICE, EXPORT("/etc", "-a", "rw")),
		PLAN(DEVICE, EXPORT("/etc", "* x", "rw")),
		PLAN(DEVICE, EXPORT("/etc", "*", "rw -a")),
		PLAN(DEVICE, EXPORT("/etc", "", "rw")),
		PLAN(DEVICE, WITHDRAW("\"path\":\"/etc\"")),
		PLAN(DEVICE, TARGET(SUBSYSTEMS "s/namespaces/1", "/dev/sda1")),
		PLAN(DEVICE, TARGET(SUBSYSTEMS "s/namespaces/1", "/dev/link-to-sda1")),
		PLAN(DEVICE, TARGET(SUBSYSTEMS "s/namespaces/1", "/etc/passwd")),
		PLAN(DEVICE, TARGET(SUBSYSTEMS "../../target", "/dev/pmem0")),
		PLAN(DEVICE, TARGET("/sys/module", "/dev/pmem0")),
		PLAN(DEVICE, TARGET("/tmp", "/dev/pmem0")),
		PLAN(DEVICE, TARGET(SUBSYSTEMS "s/namespaces/1", "dev/pmem0")),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_refused(*state, plans[i]);
}

static void a_table_or_array_on_another_device_is_not_made(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, ARRAY("{\"device\":0,\"name\":\"sda1\"}")),
		PLAN(DEVICE, ARRAY("{\"device\":7,\"name\":\"\"}")),
		PLAN(DEVICE, ARRAY("{\"device\":0,\"name\":\"\"},{\"device\":0,\"name\":\"sda1\"}")),
		PLAN(DEVICE, ARRAY("")),
		PLAN(DEVICE, "{\"step\":\"md-stop\",\"device\":0,\"subject\":\"md0\"}"),
		PLAN(DEVICE, TABLE("@0 0", "{\"device\":0,\"name\":\"sda1\"}")),
		PLAN(DEVICE, TABLE("@0 0", "{\"device\":7,\"name\":\"\"}")),
		PLAN(DEVICE, TABLE("8:1 0", "{\"device\":0,\"name\":\"\"}")),
		PLAN(DEVICE, TABLE("/dev/sda1 0", "{\"device\":0,\"name\":\"\"}")),
		PLAN(DEVICE, "{\"step\":\"dm-remove\",\"device\":0,\"subject\":\"dm-0\"}"),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_refused(*state, plans[i]);
}

static void a_loop_device_on_another_device_is_not_made(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE, LOOP("loop0", "7:0", "/dev/sda1", "")),
		PLAN(DEVICE, LOOP("loop0", "7:0", "/dev/pmem1", "")),
		PLAN(DEVICE, LOOP("loop0", "7:0", "/dev/link-to-sda1", "")),
		PLAN(DEVICE, LOOP("loop0", "7:0", "/etc/passwd", ",\"file\":true")),
		PLAN(DEVICE, LOOP("loop0", "7:0", "/dev/pmem0", ",\"file\":true")),
		PLAN(DEVICE, LOOP("loop0", "7:0", "/dev/../dev/pmem0", "")),
		PLAN(DEVICE, LOOP("loop0", "8:1", "/dev/pmem0", "")),
		PLAN(DEVICE, LOOP("sda1", "7:0", "/dev/pmem0", "")),
		PLAN(DEVICE, LOOP("loop0/../sda1", "7:0", "/dev/pmem0", "")),
		PLAN(DEVICE, LOOP("loop", "7:0", "/dev/pmem0", "")),
		PLAN(DEVICE, LOOP("loop99999999999", "7:0", "/dev/pmem0", "")),
		PLAN(DEVICE, "{\"step\":\"loop-detach\",\"device\":0,\"subject\":\"loop0\"}"),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_refused(*state, plans[i]);
}

static void what_another_device_has_is_not_thawed(void **state)
{
	static const char *const devs[] = { FREEZE("8:1"),   FREEZE("253:0"), FREEZE("0:0"),
					    FREEZE("259:1"), FREEZE("-1:0"),  FREEZE("99999:1") };

	for (size_t i = 0; i < COUNT_OF(devs); i++) {
		_cleanup_free_ char *plan = NULL;

		if (asprintf(&plan, HEAD "\"devices\":[" DEVICE "],\"steps\":[%s]}", devs[i]) < 0)
			abort();
		assert_string_equal(act_on_step(*state, plan).noted.calls, "");
	}
}

/* What the journal calls namespace0.0 has the number of sda1: that is not looked at. */
static void a_device_with_the_number_of_another_is_refused(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE_AS("namespace0.0", PATH, "8:1"),
		     UNMOUNT(MOUNT("/dev/sda1", "8:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE_AS("namespace0.0", PATH, "259:1"),
		     UNMOUNT(MOUNT("/dev/pmem1", "259:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE_AS("namespace0.0", PATH, "8:1"), SWAP_OFF("/dev/sda1", "")),
	};
	const char *const frozen[] = { PLAN(DEVICE_AS("namespace0.0", PATH, "8:1"), FREEZE("8:1")), DONE };
	struct outcome_of out;

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_unheeded(*state, plans[i]);
	out = act_on(*state, frozen, 2);
	assert_string_equal(out.noted.calls, "");
	assert_int_equal(out.recovered, OUTCOME_RECOVERED);
}

static void a_device_with_a_name_of_several_is_refused(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE_AS("all", PATH, "259:0"), UNMOUNT(MOUNT("/dev/pmem1", "259:1", "ext4", "/mnt", ""))),
		PLAN(DEVICE_AS("all", PATH, "259:0"), UNMOUNT(MOUNT("/dev/pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE "," DEVICE, UNMOUNT(MOUNT("/dev/pmem0", "259:0", "ext4", "/mnt", ""))),
		PLAN(DEVICE_AS("namespace7.0", PATH, "259:0"),
		     UNMOUNT(MOUNT("/dev/pmem0", "259:0", "ext4", "/mnt", ""))),
	};
	const char *const forward[] = { PLAN(DEVICE_AS("all", PATH, "259:0"), ""), COMMIT };
	struct outcome_of out;

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_unheeded(*state, plans[i]);
	out = act_on(*state, forward, 2);
	assert_string_equal(out.noted.calls, "");
	assert_int_equal(out.recovered, OUTCOME_STUCK);
}

static void a_device_that_can_be_none_is_refused(void **state)
{
	static const char *const plans[] = {
		PLAN(DEVICE_AS("namespace0.0", "/etc/passwd", "259:0"), UNBIND),
		PLAN(DEVICE_AS("namespace0.0", "/sys/devices/../../etc", "259:0"), UNBIND),
		PLAN(DEVICE_AS("namespace0.0", "/sys/devices/x/..", "259:0"), UNBIND),
		PLAN(DEVICE_AS("namespace0.0", "/sys/devices//x", "259:0"), UNBIND),
		PLAN(DEVICE_AS("../sda", PATH, "259:0"), UNBIND),
		PLAN(DEVICE_AS("a/b", PATH, "259:0"), UNBIND),
		PLAN(DEVICE_AS("..", PATH, "259:0"), UNBIND),
		PLAN(DEVICE_AS("", PATH, "259:0"), UNBIND),
		PLAN(DEVICE_AS("namespace0.0\\u0000", PATH, "259:0"), UNBIND),
		PLAN(DEVICE_AS("namespace0.0", PATH, "x"), UNBIND),
		PLAN("null", UNBIND),
		PLAN("7", UNBIND),
		PLAN("", UNBIND),
	};

	for (size_t i = 0; i < COUNT_OF(plans); i++)
		assert_refused(*state, plans[i]);
}

static void steps_of_no_kind_or_no_device_are_refused(void **state)
{
	static const char *const steps[] = {
		"{\"step\":\"unmount\",\"device\":-1,\"subject\":\"x\"}",
		"{\"step\":\"unmount\",\"device\":1,\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":4294967296,\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":18446744073709551615,\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":99999999999999999999999,\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":\"0\",\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":0.5,\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":[],\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"subject\":\"x\"}",
		"{\"step\":\"unbind\",\"device\":0,\"subject\":7}",
		"{\"step\":\"unbind\",\"device\":0}",
		"{\"step\":\"none\",\"device\":0,\"subject\":\"x\"}",
		"{\"step\":\"\",\"device\":0,\"subject\":\"x\"}",
		"{\"step\":{},\"device\":0,\"subject\":\"x\"}",
		"{\"device\":0,\"subject\":\"x\"}",
		"[]",
		"null",
		"\"unbind\"",
	};

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		_cleanup_free_ char *plan = NULL;

		if (asprintf(&plan, HEAD "\"devices\":[" DEVICE "],\"steps\":[%s]}", steps[i]) < 0)
			abort();
		assert_refused(*state, plan);
	}
}

static void events_beside_the_steps_are_refused(void **state)
{
	static const char *const events[] = {
		"{\"at\":1,\"state\":\"done\"}",
		"{\"at\":-1,\"state\":\"done\"}",
		"{\"at\":18446744073709551615,\"state\":\"done\"}",
		"{\"at\":\"0\",\"state\":\"done\"}",
		"{\"state\":\"done\"}",
	};

	for (size_t i = 0; i < COUNT_OF(events); i++) {
		const char *const records[] = { PLAN(DEVICE, UNBIND), events[i], COMMIT };
		struct outcome_of out = act_on(*state, records, 3);

		assert_string_equal(out.noted.calls, "");
		assert_int_equal(out.recovered, OUTCOME_STUCK);
		assert_int_equal(out.restored, OUTCOME_ERROR);
	}
}

/* The steps of the first plan must not point among the devices of the second. */
static void a_second_plan_of_other_devices_is_refused(void **state)
{
	static const char *const seconds[] = {
		"{\"devices\":[],\"steps\":[]}",
		"{\"steps\":[]}",
		"{\"devices\":[" DEVICE_AS("namespace1.0", PATH, "259:1") "],\"steps\":[]}",
		"{\"devices\":[" DEVICE "," DEVICE "],\"steps\":[]}",
	};

	for (size_t i = 0; i < COUNT_OF(seconds); i++) {
		const char *const records[] = { PLAN(DEVICE,
						     UNMOUNT(MOUNT("/dev/pmem0", "259:0", "xfs", "/mnt", ""))),
						DONE, seconds[i], COMMIT };

		for (size_t count = 3; count <= 4; count++) {
			struct outcome_of out = act_on(*state, records, count);

			assert_string_equal(out.noted.calls, "");
			assert_int_equal(out.recovered, OUTCOME_STUCK);
		}
	}
}

static void nobody_is_signalled_on_the_word_of_a_journal(void **state)
{
	static const char *const steps[] = { "terminate", "kill" };
	const int pids[] = { 0, 1, -1, getpid(), getppid(), 2147483647 };

	for (size_t i = 0; i < COUNT_OF(steps); i++)
		for (size_t j = 0; j < COUNT_OF(pids); j++) {
			_cleanup_free_ char *plan = NULL;

			if (asprintf(&plan,
				     HEAD "\"devices\":[" DEVICE
					  "],\"steps\":[{\"step\":\"%s\",\"device\":0,\"subject\":\"x\",\"memo\":{"
					  "\"processes\":[{\"pid\":%d,\"starttime\":1,\"comm\":\"x\"}]}}]}",
				     steps[i], pids[j]) < 0)
				abort();
			assert_string_equal(act_on_step(*state, plan).noted.calls, "");
		}
}

static void thousands_of_steps_are_only_many(void **state)
{
	static const char one[] = FREEZE("8:1") "," UNMOUNT(MOUNT("/dev/sda1", "8:1", "ext4", "/mnt", ""));
	enum { STEPS = 2000 };
	char *plan = malloc(STEPS * sizeof(one) + 4096), *at = plan, *records[2 * STEPS + 1];
	struct outcome_of out;

	at += sprintf(at, HEAD "\"devices\":[" DEVICE "],\"steps\":[");
	for (int i = 0; i < STEPS; i++)
		at += sprintf(at, "%s%s", i ? "," : "", one);
	strcpy(at, "]}");
	records[0] = plan;
	for (int i = 0; i < 2 * STEPS; i++)
		if (asprintf(&records[i + 1], "{\"at\":%d,\"state\":\"done\"}", i) < 0)
			abort();
	out = act_on(*state, (const char *const *)records, COUNT_OF(records));
	assert_string_equal(out.noted.calls, "");
	assert_int_equal(out.recovered, OUTCOME_STUCK);
	for (size_t i = 0; i < COUNT_OF(records); i++)
		free(records[i]);
}

static void heads_of_others_are_refused(void **state)
{
	static const char *const heads[] = {
		"{\"journal\":1,\"boot\":\"" BOOT "\",\"command\":\"x\"}",
		"{\"journal\":1,\"id\":\"20261121T101502-0000\",\"boot\":\"" BOOT "\",\"command\":\"x\"}",
		"{\"journal\":1,\"id\":7,\"boot\":\"" BOOT "\",\"command\":\"x\"}",
		"{\"journal\":1,\"id\":\"" ID "\",\"boot\":\"" BOOT "\"}",
		"{\"journal\":1,\"id\":\"" ID "\",\"boot\":\"" BOOT "\",\"command\":{}}",
		"{\"journal\":2,\"id\":\"" ID "\"}",
	};

	for (size_t i = 0; i < COUNT_OF(heads); i++)
		assert_refused(*state, heads[i]);
}

/* A journal that cannot be read is not one in which nothing was begun: it stays, and is named. */
static void what_cannot_be_read_is_kept(void **state)
{
	struct journal_tree *place = *state;
	const char *const records[] = { PLAN(DEVICE, UNBIND), DONE };
	_cleanup_free_ char *text = fitting_journal(records, 2);
	struct outcome_of out;

	text[0] ^= 1;
	out = act_on(place, records, 0);
	place_journal(place, RUN_FILE, text, strlen(text));
	out.stuck = 0;
	act(place, "recover", &out);
	assert_int_equal(out.recovered, OUTCOME_STUCK);
	assert_true(root_existsf(&place->root, RUN_FILE));
	/* and one that others may write */
	build_journal(place, RUN_FILE, records, 2);
	assert_int_equal(fchmodat(place->root.fd, &RUN_FILE[1], 0622, 0), 0);
	act(place, "recover", &out);
	assert_int_equal(out.recovered, OUTCOME_STUCK);
	assert_true(root_existsf(&place->root, RUN_FILE));
	/* an empty one goes */
	place_journal(place, RUN_FILE, "", 0);
	act(place, "recover", &out);
	assert_int_equal(out.recovered, OUTCOME_NOTHING_TO_DO);
	assert_false(root_existsf(&place->root, RUN_FILE));
	assert_string_equal(out.noted.calls, "");
}

/* Of what is the device's there is block 33 alone. */
static void blocks_of_others_are_not_brought_online(void **state)
{
	struct journal_tree *place = *state;
	struct outcome_of out = act_on_step(place, PLAN(DEVICE, OFFLINE("134217728", "33", "1")));

	assert_string_equal(out.noted.calls, "online memory33;");
	assert_refused(place, PLAN(DEVICE, OFFLINE("134217728", "35", "1")));
	assert_refused(place, PLAN(DEVICE, OFFLINE("134217728", "34", "1")));
	/* with another size it would be */
	assert_refused(place, PLAN(DEVICE, OFFLINE("67108864", "66", "1")));
	assert_refused(place, PLAN(DEVICE, OFFLINE("134217728", "33", "1000000000")));
	assert_refused(place, PLAN(DEVICE, OFFLINE("0", "33", "1")));
}

#define on_machine(test) cmocka_unit_test_setup_teardown(test, make_machine, journal_tree_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_machine(an_honest_journal_is_acted_on),
		on_machine(a_mount_of_another_source_is_refused),
		on_machine(a_mount_with_the_number_of_another_is_not_put_back),
		on_machine(a_source_of_any_length_is_refused),
		on_machine(a_foreign_mount_is_not_made_from_a_journal),
		on_machine(swap_elsewhere_is_not_turned_on),
		on_machine(what_is_elsewhere_is_not_served),
		on_machine(a_loop_device_on_another_device_is_not_made),
		on_machine(a_table_or_array_on_another_device_is_not_made),
		on_machine(what_another_device_has_is_not_thawed),
		on_machine(a_device_with_the_number_of_another_is_refused),
		on_machine(a_device_with_a_name_of_several_is_refused),
		on_machine(a_device_that_can_be_none_is_refused),
		on_machine(steps_of_no_kind_or_no_device_are_refused),
		on_machine(events_beside_the_steps_are_refused),
		on_machine(a_second_plan_of_other_devices_is_refused),
		on_machine(nobody_is_signalled_on_the_word_of_a_journal),
		on_machine(blocks_of_others_are_not_brought_online),
		on_machine(thousands_of_steps_are_only_many),
		on_machine(heads_of_others_are_refused),
		on_machine(what_cannot_be_read_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
