# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# Who serves a device or its files to others: virtual machines, storage targets, NFS.

# in_background COMMAND...: a process that holds and is no ancestor of the program; its pid goes to $held
in_background()
{
	"$@" >"$work/background" 2>&1 &
	held=$!
	wait_until 60 grep -qs /mnt/data "/proc/$held/maps" /proc/$held/map_files <(ls -l "/proc/$held/fd" 2>/dev/null)
}

scenario_a_virtual_machine_is_called_by_its_name()
{
	fresh_ext4
	in_background qemu-system-x86_64 -machine none -display none -nodefaults -name guest=web1,debug-threads=on -S \
		-object memory-backend-file,id=m,size=32M,share=on,mem-path="$mnt/memory"
	list_holders namespace0.0
	expect_exit 0
	expect_json '.holders[] | select(.kind == "process") | .vm == "web1" and (.uses | index("map") != null)'
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "process") | .message | contains("(vm web1)")'
	retire namespace0.0 --evict=kill --grace=2
	expect_retired
	expect "it was ended" is_gone "$held"
	holder_row vm named term "a virtual machine with a file as its memory"
}

scenario_a_process_in_a_container_is_called_by_that()
{
	local id=3f2a9c1b7d204e5f8a6b3c9d0e1f2a4b5c6d7e8f90a1b2c3d4e5f60718293a4b group
	group=/sys/fs/cgroup/system.slice/docker-$id.scope
	mkdir -p "$group"
	fresh_ext4
	hold open "$mnt/f"
	echo "$held" >"$group/cgroup.procs"
	list_holders namespace0.0
	expect_json ".holders[] | select(.kind == \"process\") | .container == \"$id\""
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "process") | .message | contains("(container 3f2a9c1b7d20)")'
	retire namespace0.0 --evict=term --grace=5
	expect_retired
	holder_row container named term "a process in a container"
}

scenario_who_can_pin_pages_says_so()
{
	modprobe vhost_net
	fresh_ext4
	in_background bash -c 'exec 7<>/dev/vhost-net 8>>/mnt/data/f; while :; do sleep 1; done'
	hold cwd "$mnt"
	list_holders namespace0.0
	expect_json "[.holders[] | select(.kind == \"process\" and (.uses | index(\"pin\") != null)) | .pid] == [$(jobs -p | head -1)]"
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "process" and (.message | contains("can pin its pages"))) | .stands'
	retire namespace0.0 --evict=kill --grace=2
	expect_retired
	holder_row pinner named term "a process with vhost open that can pin its pages"
}
