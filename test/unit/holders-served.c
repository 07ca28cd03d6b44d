// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel serves to others, as kernels and nfs-utils write it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "retire/holders/served.h"
#include "test/unit/tree.h"
#include "util/root.h"

#define NAMESPACE "/sys/kernel/config/nvmet/subsystems/nqn.x/namespaces/7"
#define CORE	  "/sys/kernel/config/target/core"
#define ETAB	  "/mnt/data\t10.0.0.0/24(rw,sync,fsid=0)\n/srv\t*(ro)\n/mnt/data/sub\t*(ro,sync)\n"
#define STATE	  "- 0x0000000261ef016bec15094301000000: { type: "

struct machine {
	struct tree tree;
	struct look look;
};

static int set_up(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	struct device *device = array_add(&machine->look.devices);

	*device = (struct device){ .name = strdup("namespace0.0"),
				   .blockdev = strdup("pmem0"),
				   .dev = makedev(259, 0) };
	tree_make(&machine->tree);
	tree_text(&machine->tree, "/sys/class/block/pmem0/dev", "259:0\n");
	tree_text(&machine->tree, "/proc/filesystems", "\txfs\n");
	tree_text(&machine->tree, "/proc/self/mountinfo",
		  "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n30 1 259:0 / /mnt/data rw - xfs /dev/pmem0 rw\n");
	*state = machine;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	tree_remove(&machine->tree);
	look_free(&machine->look);
	free(machine);
	return 0;
}

static void find(struct machine *machine)
{
	struct root root;

	assert_int_equal(root_open(&root, machine->tree.path), 0);
	assert_int_equal(holders_find(&root, &machine->look, NULL), 0);
	root_close(&root);
}

static const struct holder *first_of(const struct machine *machine, enum holder_type type, size_t count)
{
	const struct holder *first = NULL;
	size_t found = 0;

	array_each(holder, &machine->look.holders) {
		if (holder->type != type)
			continue;
		first = first ? first : holder;
		found++;
	}
	assert_int_equal(found, count);
	return first;
}

static void nfsd_is_there(struct machine *machine, const char *content)
{
	tree_text(&machine->tree, "/var/lib/nfs/etab", ETAB);
	tree_text(&machine->tree, "/proc/net/rpc/nfsd.export/content", content);
	tree_text(&machine->tree, "/proc/fs/nfsd/clients/3/info", "clientid: 0x1\naddress: \"10.0.0.5:1003\"\n");
	tree_text(&machine->tree, "/proc/fs/nfsd/clients/3/states", "");
}

static void an_export_is_on_its_file_system(void **state)
{
	struct machine *machine = *state;
	const struct holder *export;

	nfsd_is_there(machine, "#path domain(flags)\n");
	find(machine);
	export = first_of(machine, HOLDER_EXPORT, 2);
	assert_string_equal(export->name, "10.0.0.0/24:/mnt/data");
	assert_string_equal(export->export.options, "rw,sync,fsid=0");
	assert_null(export->export.users);
	assert_int_equal(look_holder(&machine->look, export->on)->type, HOLDER_FILESYSTEM);
	assert_int_equal(machine->look.unknowns.count, 0);
}

static void an_export_on_behalf_of_another_has_no_options(void **state)
{
	struct machine *machine = *state;

	nfsd_is_there(machine, "#path domain(flags)\n# /mnt/data/no\t*()\n/mnt/data/deep\t*,10.0.0.5(rw)\n");
	find(machine);
	first_of(machine, HOLDER_EXPORT, 3);
	array_each(holder, &machine->look.holders)
		if (holder->type == HOLDER_EXPORT && strcmp(holder->export.path, "/mnt/data/deep") == 0)
			assert_null(holder->export.options);
}

static void what_the_kernel_has_cached_is_no_second_export(void **state)
{
	struct machine *machine = *state;

	nfsd_is_there(machine, "/mnt/data\t*,10.0.0.0/24(rw,fsid=0)\n");
	find(machine);
	first_of(machine, HOLDER_EXPORT, 2);
}

static void clients_with_open_files_are_named(void **state)
{
	struct machine *machine = *state;

	nfsd_is_there(machine, "");
	tree_text(&machine->tree, "/proc/fs/nfsd/clients/3/states",
		  STATE
		  "open, access: rw, deny: --, superblock: \"103:00:12\", filename: \"/f\", owner: \"x\" }\n");
	find(machine);
	assert_string_equal(first_of(machine, HOLDER_EXPORT, 2)->export.users, "10.0.0.5:1003");
}

static void without_nfsd_the_table_means_nothing(void **state)
{
	struct machine *machine = *state;

	tree_text(&machine->tree, "/var/lib/nfs/etab", ETAB);
	find(machine);
	first_of(machine, HOLDER_EXPORT, 0);
}

static void clients_that_cannot_be_seen_are_unknown(void **state)
{
	struct machine *machine = *state;

	tree_text(&machine->tree, "/var/lib/nfs/etab", ETAB "nonsense\n");
	tree_text(&machine->tree, "/proc/net/rpc/nfsd.export/content", "");
	find(machine);
	assert_int_equal(machine->look.unknowns.count, 2);
	assert_string_equal(machine->look.unknowns.items[0].subject, "/var/lib/nfs/etab");
	assert_string_equal(machine->look.unknowns.items[1].subject, "NFS clients");
}

static void an_nvme_target_is_found_by_what_it_serves(void **state)
{
	struct machine *machine = *state;
	const struct holder *target;

	tree_text(&machine->tree, NAMESPACE "/enable", "1\n");
	tree_text(&machine->tree, NAMESPACE "/device_path", "/dev/pmem0\n");
	tree_text(&machine->tree, NAMESPACE "/device_uuid", "5f7f\n");
	find(machine);
	target = first_of(machine, HOLDER_NVME_TARGET, 1);
	assert_string_equal(target->name, "nqn.x/7");
	assert_string_equal(target->nvme.directory, NAMESPACE);
	assert_string_equal(target->nvme.uuid, "5f7f");
	assert_int_equal(target->on, 0);
}

static void an_nvme_target_that_is_off_is_only_text(void **state)
{
	struct machine *machine = *state;

	tree_text(&machine->tree, NAMESPACE "/enable", "0\n");
	tree_text(&machine->tree, NAMESPACE "/device_path", "/dev/pmem0\n");
	find(machine);
	first_of(machine, HOLDER_NVME_TARGET, 0);
	assert_int_equal(machine->look.unknowns.count, 0);
}

static void a_scsi_target_is_found_by_number_or_by_file(void **state)
{
	struct machine *machine = *state;

	tree_text(&machine->tree, CORE "/iblock_0/disk/enable", "1\n");
	tree_text(&machine->tree, CORE "/iblock_0/disk/info",
		  "Status: DEACTIVATED  Max Queue Depth: 0\n        iBlock device: pmem0  UDEV PATH: Major: 8 "
		  "Minor: 0  "
		  "readonly: 0\n        Major: 259 Minor: 0  CLAIMED: IBLOCK\n");
	tree_text(&machine->tree, CORE "/fileio_1/image/enable", "1\n");
	tree_text(&machine->tree, CORE "/fileio_1/image/info",
		  "        TCM FILEIO ID: 0        File: /mnt/data/Major: 8 Minor: 0  Size: 1  Mode: O_DSYNC "
		  "Async: 0\n");
	tree_text(&machine->tree, CORE "/fileio_2/other/enable", "1\n");
	tree_text(&machine->tree, CORE "/fileio_2/other/info", "  File: /srv/image  Size: 1  Mode: O_DSYNC\n");
	tree_text(&machine->tree, CORE "/fileio_2/odd/enable", "1\n");
	tree_text(&machine->tree, CORE "/fileio_2/odd/info", "nothing\n");
	tree_text(&machine->tree, CORE "/alua/lu_gps/default_lu_gp/lu_gp_id", "0\n");
	find(machine);
	first_of(machine, HOLDER_SCSI_TARGET, 2);
	assert_int_equal(machine->look.unknowns.count, 1);
	assert_string_equal(machine->look.unknowns.items[0].subject, "fileio_2/odd");
}

static void bcache_is_named_before_it_has_a_disk_of_its_own(void **state)
{
	struct machine *machine = *state;

	tree_text(&machine->tree, "/sys/class/block/pmem0/bcache/running", "0\n");
	find(machine);
	assert_int_equal(first_of(machine, HOLDER_BCACHE, 1)->on, 0);
	assert_int_equal(machine->look.unknowns.count, 0);
}

static void modules_without_their_configuration_are_unknown(void **state)
{
	struct machine *machine = *state;

	tree_text(&machine->tree, "/sys/module/nvmet/refcnt", "0\n");
	tree_text(&machine->tree, "/sys/module/target_core_mod/refcnt", "0\n");
	find(machine);
	assert_int_equal(machine->look.unknowns.count, 2);
}

static void lines_of_exports(void **state)
{
	char line[] = "/mnt/a\\040b\t*.example.org(rw,sec=sys)", odd[] = "/mnt 10.0.0.1(ro)";
	struct export_line export;
	char *none[] = { (char[]){ "" },	  (char[]){ "/mnt" },	    (char[]){ "/mnt\t" },
			 (char[]){ "/mnt\t*" },	  (char[]){ "/mnt\t(rw)" }, (char[]){ "mnt\t*(rw)" },
			 (char[]){ "/mnt\t*(rw" } };

	(void)state;
	assert_int_equal(export_parse(line, &export), 0);
	assert_string_equal(export.path, "/mnt/a b");
	assert_string_equal(export.client, "*.example.org");
	assert_string_equal(export.options, "rw,sec=sys");
	assert_int_equal(export_parse(odd, &export), 0);
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(export_parse(none[i], &export), -EINVAL);
}

static void states_of_clients(void **state)
{
	static const struct {
		const char *line;
		int rc;
		bool in_use;
	} lines[] = {
		{ STATE "open, access: r-, deny: --, superblock: \"103:00:12\", filename: \"/\" }", 0, true },
		{ STATE "lock, superblock: \"103:00:12\", filename: \"/\", owner: \"\" }", 0, true },
		{ STATE "deleg, access: r, superblock: \"103:00:12\", filename: \"/\" }", 0, false },
		{ STATE "deleg, access: w, superblock: \"103:00:12\" }", 0, true },
		{ STATE "deleg, access: wa, superblock: \"103:00:12\" }", 0, true },
		{ STATE "deleg, access: r, admin-revoked }", -EINVAL, false },
		{ STATE "open, access: --, owner: \"superblock: \\x22103:00:12\", admin-revoked }", -EINVAL,
		  false },
		{ STATE "open, owner: \"x\", superblock: \"103:00:12\" }", -EINVAL, false },
		{ STATE "open, superblock: \"zz:00:12\" }", -EINVAL, false },
		{ STATE "open, superblock: \"103\" }", -EINVAL, false },
		{ "", -EINVAL, false },
	};
	struct nfs_state nfs;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		assert_int_equal(nfs_state_parse(lines[i].line, &nfs), lines[i].rc);
		if (lines[i].rc < 0)
			continue;
		assert_true(nfs.dev == makedev(259, 0));
		assert_int_equal(nfs.in_use, lines[i].in_use);
	}
}

#define in_tree(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_tree(an_export_is_on_its_file_system),
		in_tree(an_export_on_behalf_of_another_has_no_options),
		in_tree(what_the_kernel_has_cached_is_no_second_export),
		in_tree(clients_with_open_files_are_named),
		in_tree(without_nfsd_the_table_means_nothing),
		in_tree(clients_that_cannot_be_seen_are_unknown),
		in_tree(an_nvme_target_is_found_by_what_it_serves),
		in_tree(an_nvme_target_that_is_off_is_only_text),
		in_tree(a_scsi_target_is_found_by_number_or_by_file),
		in_tree(bcache_is_named_before_it_has_a_disk_of_its_own),
		in_tree(modules_without_their_configuration_are_unknown),
		cmocka_unit_test(lines_of_exports),
		cmocka_unit_test(states_of_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
