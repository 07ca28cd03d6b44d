# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# shellcheck disable=SC2154
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
	in_background bash -c 'exec 7<>/dev/vhost-net 8>>/mnt/data/f; exec sleep 1000'
	local pinner=$held
	hold cwd "$mnt"
	list_holders namespace0.0
	expect_json "[.holders[] | select(.kind == \"process\" and (.uses | index(\"pin\") != null)) | .pid] == [$pinner]"
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "process" and (.message | contains("can pin its pages"))) | .stands'
	retire namespace0.0 --evict=kill --grace=2
	expect_retired
	holder_row pinner named term "a process with vhost open that can pin its pages"
}

# nvme_target PATH: a namespace of a subsystem s1 that serves it
nvme_target()
{
	local subsystem=/sys/kernel/config/nvmet/subsystems/s1
	modprobe nvmet
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	target=$subsystem/namespaces/1
	mkdir -p "$target"
	echo -n "$1" >"$target/device_path"
	echo 1 >"$target/enable"
	expect "the target serves $1" grep -qx 1 "$target/enable"
}

no_nvme_target()
{
	echo 0 >"$target/enable"
	rmdir "$target" "${target%/namespaces/1}"
}

scenario_an_nvme_target_on_the_disk_is_switched_off_and_on_again()
{
	local uuid
	nvme_target /dev/pmem0
	uuid=$(cat "$target/device_uuid")
	list_holders namespace0.0
	expect_json '.holders[] | select(.kind == "nvme-target") | .name == "s1/1" and .on == "pmem0" and .path == "/dev/pmem0"'
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map([.code, .lifted_by]) == [["nvme-target", "--evict=stop"]]'
	expect "it still serves" grep -qx 1 "$target/enable"
	retire namespace0.0 --evict=stop
	expect_retired
	expect "it is switched off" grep -qx 0 "$target/enable"
	restore namespace0.0
	expect_exit 0
	expect "it serves again" grep -qx 1 "$target/enable"
	expect "as it was" grep -qx "$uuid" "$target/device_uuid"
	no_nvme_target
	holder_row nvme-target named stop "a block device that nvmet serves (which does not claim it)"
}

scenario_an_nvme_target_on_a_file_comes_back_after_a_rollback()
{
	local before
	fresh_ext4
	truncate -s 16M "$mnt/image"
	nvme_target "$mnt/image"
	before=$(snapshot)
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 --evict=stop
	expect_exit 0
	expect "it is switched off" grep -qx 0 "$target/enable"
	restore namespace0.0
	expect_exit 0
	expect "it serves again" grep -qx 1 "$target/enable"
	# somebody else has frozen it: that fails, and all goes back
	fsfreeze -f "$mnt"
	retire namespace0.0 --evict=stop
	fsfreeze -u "$mnt"
	expect_exit 3
	expect_json '.steps[] | select(.step == "withdraw") | .state == "undone"'
	expect "it serves again" grep -qx 1 "$target/enable"
	expect "all is as before" test "$before" = "$(snapshot)"
	no_nvme_target
	holder_row nvme-target-file named stop "a file that nvmet serves"
}

scenario_a_scsi_target_is_refused_by_name()
{
	local core=/sys/kernel/config/target/core
	modprobe -a target_core_mod target_core_iblock target_core_file
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	mkdir -p "$core/iblock_0/b1"
	echo udev_path=/dev/pmem0 >"$core/iblock_0/b1/control"
	echo 1 >"$core/iblock_0/b1/enable"
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map([.code, .subject, .severity]) == [["scsi-target", "iblock_0/b1", "critical"]]'
	expect_json '.vetoes[] | select(.code == "scsi-target") | .message | contains("targetcli")'
	rmdir "$core/iblock_0/b1"
	fresh_ext4
	truncate -s 16M "$mnt/image"
	mkdir -p "$core/fileio_0/f1"
	echo "fd_dev_name=$mnt/image,fd_dev_size=16777216" >"$core/fileio_0/f1/control"
	echo 1 >"$core/fileio_0/f1/enable"
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '.vetoes[] | select(.stands and .code == "scsi-target") | .subject == "fileio_0/f1"'
	expect "it is still mounted" is_mounted
	rmdir "$core/fileio_0/f1"
	retire namespace0.0 --evict=stop
	expect_retired
	holder_row scsi-target named never "a block device or file below a target of LIO"
}

# nfs_server: nfsd for this guest alone, with what an export needs
nfs_server()
{
	ip link set lo up
	modprobe nfsd
	mkdir -p /var/lib/nfs/{sm,v4recovery,rpc_pipefs}
	touch /var/lib/nfs/{etab,rmtab}
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	[[ $(cat /proc/fs/nfsd/threads) != 0 ]] || rpc.nfsd -N 3 -V 4 --no-udp -L 10 -G 10 1
	pgrep -x rpc.mountd >/dev/null || rpc.mountd -N 3
	exportfs -o rw,no_root_squash,insecure,fsid=0 "127.0.0.1:$mnt"
}

# nfs_client: has it mounted at /srv/nfs
nfs_client()
{
	mkdir -p /srv/nfs
	mount -t nfs4 -o vers=4.2,soft,timeo=20 127.0.0.1:/ /srv/nfs
	expect "the client sees it" test -e "/srv/nfs/${1:-lost+found}"
}

no_nfs()
{
	umount -l /srv/nfs 2>/dev/null
	exportfs -ua
	echo 0 >/proc/fs/nfsd/threads
}

is_exported() { grep -q "^${mnt}[[:space:]]127.0.0.1(rw,.*fsid=0" /var/lib/nfs/etab; }

scenario_an_nfs_export_is_withdrawn_and_comes_back()
{
	local before
	fresh_ext4
	nfs_server
	nfs_client
	before=$(cat /var/lib/nfs/etab)
	expect "nfsd keeps it" bash -c '! umount /mnt/data'
	list_holders namespace0.0
	expect_json '.holders[] | select(.kind == "export") | .client == "127.0.0.1" and .path == "/mnt/data" and .users == null'
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "export" and .stands) | .lifted_by == "--evict=stop"'
	expect "it is still exported" is_exported
	retire namespace0.0 --evict=stop
	expect_retired
	expect "it is not exported any more" bash -c '! grep -q /mnt/data /var/lib/nfs/etab'
	restore namespace0.0
	expect_exit 0
	expect "it is exported as before" test "$before" = "$(cat /var/lib/nfs/etab)"
	expect "the client sees it again" within 30 ls /srv/nfs
	no_nfs
	holder_row nfs-export named stop "a directory that nfsd exports"
}

names_a_client()
{
	"$program" ndctl list-holders namespace0.0 2>/dev/null |
		jq -e '.holders[] | select(.kind == "export") | .users != null' >/dev/null
}

scenario_a_client_of_nfs_that_has_files_open_is_named()
{
	fresh_ext4
	echo content >"$mnt/f"
	nfs_server
	nfs_client f
	# the first open right after an export has been refused once, on 7.x
	bash -c 'until exec 7>>/srv/nfs/f; do sleep 0.2; done; echo more >&7; exec sleep 1000' &
	held=$!
	expect "the client is seen to have it open" wait_until 30 names_a_client
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "export" and .stands) | .lifted_by == "--evict=kill" and (.message | contains("127.0.0.1"))'
	expect "it is still exported" is_exported
	retire namespace0.0 --evict=kill
	expect_retired
	expect_json '.losses[] | select(.kind == "nfs-client") | .name | startswith("127.0.0.1")'
	kill -KILL "$held"
	no_nfs
	holder_row nfs-state named kill "a file that a client of nfsd has open"
}

scenario_an_export_comes_back_after_a_rollback()
{
	local before
	fresh_ext4
	nfs_server
	nfs_client
	before=$(snapshot; cat /var/lib/nfs/etab)
	# somebody else has frozen it: that fails, and all goes back
	fsfreeze -f "$mnt"
	retire namespace0.0 --evict=stop
	fsfreeze -u "$mnt"
	expect_exit 3
	expect_json '.steps[] | select(.step == "withdraw") | .state == "undone"'
	expect "all is as before" test "$before" = "$(snapshot; cat /var/lib/nfs/etab)"
	expect "the client sees it" within 30 ls /srv/nfs
	no_nfs
}
