// SPDX-License-Identifier: GPL-2.0-or-later
/* Containers and virtual machines by name, and who can pin pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "retire/holders/container.h"
#include "retire/holders/pinner.h"
#include "retire/holders/procfs.h"

#define ID "3f2a9c1b7d204e5f8a6b3c9d0e1f2a4b5c6d7e8f90a1b2c3d4e5f60718293a4b"

static void expect(const char *cgroup, const char *wanted, bool wanted_vm)
{
	bool vm;
	char *name = cgroup_parse_container(cgroup, &vm);

	if (wanted)
		assert_string_equal(name, wanted);
	else
		assert_null(name);
	assert_int_equal(vm, wanted_vm);
	free(name);
}

static void runtimes_below_systemd(void **state)
{
	(void)state;
	expect("0::/system.slice/docker-" ID ".scope\n", ID, false);
	expect("0::/system.slice/docker-" ID ".scope/init.scope\n", ID, false);
	expect("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12ab.slice/cri-containerd-" ID
	       ".scope\n",
	       ID, false);
	expect("0::/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope/container\n", ID, false);
	expect("0::/machine.slice/libpod-" ID ".scope/container\n", ID, false);
	expect("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", ID, false);
	expect("0::/system.slice/docker-3f2a9c1b7d20.scope\n", "3f2a9c1b7d20", false);
}

static void runtimes_without_systemd(void **state)
{
	(void)state;
	expect("0::/docker/" ID "\n", ID, false);
	expect("12:memory:/docker/" ID "\n0::/\n", ID, false);
	expect("0::/kubepods/burstable/pod12ab/" ID "\n", ID, false);
	expect("0::/libpod_parent/libpod-" ID "\n", ID, false);
	expect("0::/lxc.payload.web-1/system.slice/x.service\n", "web-1", false);
}

static void machines_of_systemd(void **state)
{
	(void)state;
	expect("0::/machine.slice/systemd-nspawn@deb12.service/payload/init.scope\n", "deb12", false);
	expect("0::/machine.slice/machine-a\\x2db.scope\n", "a-b", false);
	expect("0::/machine.slice/machine-lxc\\x2d7\\x2dbox.scope\n", "box", false);
	expect("0::/machine.slice/machine-qemu\\x2d1\\x2dweb\\x2d1.scope/libvirt/emulator\n", "web-1", true);
	expect("0::/machine.slice/machine-qemu.scope\n", "qemu", false);
	expect("0::/machine.slice/machine-qemu\\x2dx\\x2dy.scope\n", "qemu-x-y", false);
}

static void the_outermost_container_counts(void **state)
{
	(void)state;
	expect("0::/lxc.payload.outer/docker/" ID "\n", "outer", false);
}

static void what_is_no_container(void **state)
{
	(void)state;
	expect("", NULL, false);
	expect("0::/", NULL, false);
	expect("0::/system.slice/docker.service\n", NULL, false);
	expect("0::/system.slice/bench.service\n", NULL, false);
	expect("0::/user.slice/user-1000.slice/session-3.scope\n", NULL, false);
	/* the monitor of a container is outside of it */
	expect("0::/machine.slice/libpod-conmon-" ID ".scope\n", NULL, false);
	expect("0::/lxc.monitor.web\n", NULL, false);
	expect("0::/system.slice/docker-.scope\n", NULL, false);
	expect("0::/system.slice/docker-3f2a.scope\n", NULL, false);
	expect("0::/system.slice/docker-xyz" ID ".scope\n", NULL, false);
	expect("0::/system.slice/docker-" ID "00.scope\n", NULL, false);
	expect("0::/machine.slice/machine-.scope\n", NULL, false);
	expect("docker-" ID ".scope\n", NULL, false);
}

static void an_escape_that_is_none_is_a_name(void **state)
{
	(void)state;
	expect("0::/machine.slice/machine-a\\x.scope\n", "a\\x", false);
	expect("0::/machine.slice/machine-a\\x2.scope\n", "a\\x2", false);
	expect("0::/machine.slice/machine-a\\x2g.scope\n", "a\\x2g", false);
	expect("0::/machine.slice/machine-a\\x00b.scope\n", "a\\x00b", false);
}

static void expect_vm(const char *cmdline, size_t length, const char *wanted)
{
	char *name = cmdline_parse_vm(cmdline, length);

	assert_string_equal(name, wanted);
	free(name);
}

#define CMDLINE(text) text, sizeof(text) - 1

static void a_machine_is_named_by_its_command_line(void **state)
{
	(void)state;
	expect_vm(CMDLINE("qemu-system-x86_64\0-name\0guest=web1,debug-threads=on\0-S\0"), "web1");
	expect_vm(CMDLINE("qemu-system-x86_64\0-name\0debug-threads=on,guest=web1\0"), "web1");
	expect_vm(CMDLINE("qemu-system-x86_64\0-name\0web1,process=web\0"), "web1");
	expect_vm(CMDLINE("qemu-system-x86_64\0-name\0guest=a,,b,debug-threads=on\0"), "a,b");
	expect_vm(CMDLINE("qemu-system-x86_64\0--name\0web1\0"), "web1");
	expect_vm(CMDLINE("firecracker\0--id\0fc-7\0--api-sock\0x\0"), "fc-7");
}

static void a_command_line_may_say_nothing(void **state)
{
	(void)state;
	expect_vm("", 0, "");
	expect_vm(CMDLINE("qemu-system-x86_64\0-m\0002G\0"), "");
	expect_vm(CMDLINE("qemu-system-x86_64\0-name\0"), "");
	expect_vm(CMDLINE("qemu-system-x86_64\0-name\0cut"), "");
	expect_vm(CMDLINE("cut"), "");
	expect_vm(CMDLINE("q\0-name\0\0"), "");
	expect_vm(CMDLINE("q\0-name\0guest=\0"), "");
	expect_vm(CMDLINE("q\0-name\0,,,\0"), ",");
}

static void a_name_has_an_end(void **state)
{
	static char cmdline[4096] = "q\0-name";
	char *name;

	(void)state;
	memset(cmdline + 8, 'a', sizeof(cmdline) - 9);
	name = cmdline_parse_vm(cmdline, sizeof(cmdline));
	assert_int_equal(strlen(name), 255);
	free(name);
}

static void monitors_are_known_by_their_comm(void **state)
{
	(void)state;
	assert_true(is_vm_monitor("qemu-system-x86"));
	assert_true(is_vm_monitor("cloud-hyperviso"));
	assert_true(is_vm_monitor("firecracker"));
	assert_true(is_vm_monitor("kvm"));
	assert_false(is_vm_monitor("kvm-clock"));
	assert_false(is_vm_monitor("qemu-img"));
	assert_false(is_vm_monitor(""));
}

static void those_who_can_pin(void **state)
{
	(void)state;
	assert_true(link_can_pin("anon_inode:[io_uring]"));
	assert_true(device_can_pin("../../devices/virtual/vfio/12"));
	assert_true(device_can_pin("../../devices/pci0000:00/0000:00:05.0/vfio-dev/vfio0"));
	assert_true(device_can_pin("../../devices/virtual/misc/iommu"));
	assert_true(device_can_pin("../../devices/virtual/misc/vfio"));
	assert_true(device_can_pin("../../devices/virtual/misc/vhost-net"));
	assert_true(device_can_pin("../../devices/vdpa0/vhost-vdpa-0"));
	assert_true(device_can_pin("../../devices/pci0000:00/0000:00:06.0/infiniband_verbs/uverbs0"));
}

static void those_who_cannot(void **state)
{
	(void)state;
	assert_false(link_can_pin("anon_inode:[eventpoll]"));
	assert_false(link_can_pin("/tmp/anon_inode:[io_uring]"));
	assert_false(device_can_pin("../../devices/virtual/misc/kvm"));
	assert_false(device_can_pin("../../devices/virtual/mem/null"));
	assert_false(device_can_pin("../../devices/virtual/misc/uverbs0"));
	assert_false(device_can_pin("vfio/12"));
	assert_false(device_can_pin("xvfio/12"));
	assert_false(device_can_pin("/"));
	assert_false(device_can_pin(""));
}

static void pinned_memory_is_told_in_its_status(void **state)
{
	(void)state;
	assert_int_equal(status_parse_pinned("Name:\tx\nVmLck:\t      64 kB\nVmPin:\t    1024 kB\n"), 1088 * 1024);
	assert_int_equal(status_parse_pinned("Name:\tx\nVmPin:\t       0 kB\n"), 0);
	assert_int_equal(status_parse_pinned("Name:\tx\nVmLck:\t       4 kB\n"), 4096);
	assert_int_equal(status_parse_pinned("Name:\tVmPin:\t9 kB\n"), 0);
	assert_int_equal(status_parse_pinned("Name:\tx\nVmPin:\t18446744073709551615 kB\n"), 0);
	assert_int_equal(status_parse_pinned("Name:\tx\nVmPin:\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runtimes_below_systemd),
		cmocka_unit_test(runtimes_without_systemd),
		cmocka_unit_test(machines_of_systemd),
		cmocka_unit_test(the_outermost_container_counts),
		cmocka_unit_test(what_is_no_container),
		cmocka_unit_test(an_escape_that_is_none_is_a_name),
		cmocka_unit_test(a_machine_is_named_by_its_command_line),
		cmocka_unit_test(a_command_line_may_say_nothing),
		cmocka_unit_test(a_name_has_an_end),
		cmocka_unit_test(monitors_are_known_by_their_comm),
		cmocka_unit_test(those_who_can_pin),
		cmocka_unit_test(those_who_cannot),
		cmocka_unit_test(pinned_memory_is_told_in_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
