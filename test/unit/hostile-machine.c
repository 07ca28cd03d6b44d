// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/hostile-machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/sysmacros.h>

#include "util/cleanup.h"

enum { PMEM_MAJOR = 259, NAMESPACE_INO = 4026531841 };

static struct noted *noted(struct effects *effects)
{
	return (struct noted *)effects;
}

static void note(struct effects *effects, const char *what, const char *name)
{
	size_t length = strlen(noted(effects)->calls);

	snprintf(noted(effects)->calls + length, sizeof(noted(effects)->calls) - length, "%s %s;", what, name);
}

static int note_open(struct effects *effects, const struct look *look, const struct holder *filesystem, int *fd,
		     struct err *err)
{
	(void)look, (void)err;
	note(effects, "open", filesystem->name);
	*fd = -1;
	return 0;
}

static int note_thaw_left(struct effects *effects, int fd, struct deadline deadline, struct err *err)
{
	(void)fd, (void)deadline, (void)err;
	note(effects, "thaw", "it");
	return 0;
}

static int note_signal(struct effects *effects, const struct process *process, int number, struct err *err)
{
	(void)number, (void)err;
	note(effects, "signal", process->comm);
	return 0;
}

static int note_mount(struct effects *effects, const struct mount *mount, int ns, int kept,
		      struct deadline deadline, struct err *err)
{
	(void)ns, (void)kept, (void)deadline, (void)err;
	note(effects, "mount", mount->source);
	return 0;
}

static int note_offer(struct effects *effects, const struct holder *served, struct deadline deadline,
		      struct err *err)
{
	(void)deadline;
	(void)err;
	note(effects, "offer", served->type == HOLDER_EXPORT ? served->export.path : served->nvme.backing);
	return 0;
}

static int note_swap_on(struct effects *effects, const struct swap *swap, struct deadline deadline,
			struct err *err)
{
	(void)deadline, (void)err;
	note(effects, "swapon", swap->path);
	return 0;
}

static int note_put_up(struct effects *effects, const struct holder *stack, int *fd, struct deadline deadline,
		       struct err *err)
{
	char text[256];

	(void)fd, (void)deadline, (void)err;
	if (stack->type == HOLDER_LOOP)
		snprintf(text, sizeof(text), "%s on %s", stack->name, stack->loop.path);
	else if (stack->type == HOLDER_DM)
		snprintf(text, sizeof(text), "%s: %s", stack->name, stack->dm.targets.items[0].params);
	else
		snprintf(text, sizeof(text), "%s on %u:%u", stack->name, major(stack->md.lower.items[0].dev),
			 minor(stack->md.lower.items[0].dev));
	note(effects, "put up", text);
	return 0;
}

static int nothing_is_out(struct effects *effects, const struct device *device, enum memory_zone zone,
			  struct deadline deadline, struct err *err)
{
	(void)effects, (void)device, (void)zone, (void)deadline, (void)err;
	return 1;
}

static int note_online(struct effects *effects, uint64_t number, enum memory_zone zone, struct deadline deadline,
		       struct err *err)
{
	char name[32];

	(void)zone, (void)deadline, (void)err;
	snprintf(name, sizeof(name), "memory%lu", (unsigned long)number);
	note(effects, "online", name);
	tree_text(&noted(effects)->place->tree, "/sys/devices/system/memory/memory33/state", "online\n");
	tree_text(&noted(effects)->place->tree, "/sys/devices/system/memory/memory33/valid_zones", "Movable\n");
	return 0;
}

static int note_enable(struct effects *effects, const struct device *device, struct deadline deadline,
		       struct err *err)
{
	(void)deadline, (void)err;
	note(effects, "enable", device->name);
	return 0;
}

static int note_disable(struct effects *effects, const struct device *device, struct deadline deadline,
			struct err *err)
{
	(void)deadline, (void)err;
	note(effects, "disable", device->name);
	return 0;
}

static int add_device(struct look *look, const char *name, const char *node, unsigned minor_number)
{
	struct device *device = array_add(&look->devices);

	assert_non_null(device);
	*device = (struct device){ .enabled = true, .dev = makedev(PMEM_MAJOR, minor_number) };
	device->name = strdup(name);
	device->path = strdup("/sys/devices/platform/e820_pmem/ndbus0/region0/namespace0.0");
	device->blockdev = strdup(node);
	if (!minor_number) {
		struct memory_range *range = array_add(&device->memory);

		*range = (struct memory_range){ 33UL << 27, 2UL << 27 };
	}
	return 0;
}

/* By name, as the command line does: "all" is all there are. */
static int find_again(const struct root *root, const struct look *was, struct look *look, struct err *err)
{
	(void)root;
	array_each(device, &was->devices) {
		bool all = strcmp(device->name, "all") == 0;

		if (strcmp(device->name, "namespace0.0") == 0 || all) {
			if (!look->devices.count)
				add_device(look, "namespace0.0", "pmem0", 0);
		} else {
			return err_set(err, -ENODEV, "no such namespace");
		}
		if (all)
			add_device(look, "namespace1.0", "pmem1", 1);
	}
	return 0;
}

/* A file system and a partition on pmem0; and, as if sda were looked at, one on that. */
static int find_holders(const struct root *root, struct look *look, struct err *err)
{
	struct mount_namespace *initial = array_add(&look->namespaces);

	(void)root, (void)err;
	*initial = (struct mount_namespace){ .ino = NAMESPACE_INO,
					     .fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
					     .initial = true };
	for (size_t i = 0; i < look->devices.count; i++) {
		dev_t dev = look->devices.items[i].dev;
		struct holder *holder =
			look_add_holder(look, HOLDER_FILESYSTEM, (int)i, 0, "fs-%u:%u", major(dev), minor(dev));

		holder->dev = dev;
		holder = look_add_holder(look, HOLDER_DM, (int)i, 0, "dm-0");
		holder->dev = makedev(253, 0);
	}
	return 0;
}

static int no_kept(struct effects *effects, const struct mount *mount)
{
	(void)effects, (void)mount;
	return -ENOENT;
}

static int nothing_kept(struct effects *effects, struct err *err)
{
	(void)effects, (void)err;
	return 0;
}

static int count_references(const struct root *root, struct look *look, int interrupt, struct deadline patience)
{
	(void)root;
	(void)interrupt;
	(void)patience;
	array_each(device, &look->devices) {
		struct references *references = array_add(&look->references);

		if (!references)
			return -ENOMEM;
		*references = (struct references){ .device = (int)(device - look->devices.items), .known = true };
	}
	return 0;
}

static void probe(const struct root *root, struct kernel *kernel)
{
	(void)root;
	memset(kernel, 0, sizeof(*kernel));
}

static int is_enabled(const struct root *root, const struct device *device)
{
	(void)root, (void)device;
	return 1;
}

static int check_identity(const struct root *root, const struct device *device, struct err *err)
{
	(void)root, (void)device, (void)err;
	return 0;
}

int make_machine(void **state)
{
	static const struct {
		const char *name;
		unsigned major_number, minor_number;
	} nodes[] = { { "pmem0", PMEM_MAJOR, 0 }, { "pmem1", PMEM_MAJOR, 1 }, { "sda", 8, 0 },
		      { "sda1", 8, 1 },		  { "dm-0", 253, 0 },	      { "dm-1", 253, 1 } };
	struct journal_tree *place;
	int rc = journal_tree_make(state);

	place = *state;
	free(tree_place(&place->tree, "/dev/x"));
	for (size_t i = 0; rc == 0 && i < COUNT_OF(nodes); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "dev/%s", nodes[i].name) < 0)
			abort();
		/* where that is not allowed, there is nothing to be tested */
		if (mknodat(place->root.fd, path, S_IFBLK | 0600,
			    makedev(nodes[i].major_number, nodes[i].minor_number)) < 0)
			exit(77);
	}
	tree_link(&place->tree, "/dev/link-to-sda1", "sda1");
	tree_text(&place->tree, "/etc/passwd", "root\n");
	/* one of the device, and one of another */
	tree_text(&place->tree, "/sys/devices/system/memory/block_size_bytes", "8000000\n");
	tree_text(&place->tree, "/sys/devices/system/memory/memory33/state", "offline\n");
	tree_text(&place->tree, "/sys/devices/system/memory/memory35/state", "offline\n");
	tree_text(&place->tree, "/proc/filesystems", "nodev\tsysfs\nnodev\toverlay\n\text4\n\txfs\n");
	return rc;
}

void act(const struct journal_tree *place, const char *command, struct outcome_of *out)
{
	static const char *const names[][2] = { { ID, NULL }, { "namespace0.0", NULL } };
	struct machine machine = { &place->root, &out->noted.effects, find_again,
				   find_holders, count_references,    probe,
				   is_enabled,	 check_identity };
	struct request request = { .command = command, .timeout_ms = 5000 };
	bool restores = strcmp(command, "restore") == 0;

	for (size_t i = 0; i < (restores ? 2 : 1); i++) {
		struct result result;

		request.names = names[i];
		request.name_count = restores;
		if (restores)
			restore_on(&machine, &request, NULL, &result);
		else
			recover_on(&machine, &request, NULL, &result);
		*(restores ? &out->restored : &out->recovered) = result.outcome;
		out->stuck += result.stuck.count;
		result_free(&result);
	}
}

struct outcome_of act_on(const struct journal_tree *place, const char *const *records, size_t count)
{
	struct outcome_of out = { .noted = { .place = place,
					     .effects = { .open_filesystem = note_open,
							  .thaw_left = note_thaw_left,
							  .signal = note_signal,
							  .mount = note_mount,
							  .find_kept = no_kept,
							  .forget_kept = nothing_kept,
							  .swap_on = note_swap_on,
							  .offer = note_offer,
							  .put_up = note_put_up,
							  .online_block = note_online,
							  .plug = nothing_is_out,
							  .let_online = nothing_kept,
							  .enable = note_enable,
							  .disable = note_disable,
							  .hanging = CHILD_NONE } } };

	build_journal(place, RUN_FILE, records, count);
	build_journal(place, STATE_FILE, records, count);
	act(place, "recover", &out);
	build_journal(place, RUN_FILE, records, count);
	build_journal(place, STATE_FILE, records, count);
	act(place, "restore", &out);
	return out;
}
