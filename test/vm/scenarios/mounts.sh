# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# Mounts that the table of one's own mount namespace does not show, and file
# systems that stand on a device in another way than being mounted from it.

# a mount namespace that only a mount of its file keeps, /run/kept/mnt
keep_namespace_by_mount()
{
	mkdir -p /run/kept
	mount --bind /run/kept /run/kept
	mount --make-private /run/kept
	touch /run/kept/mnt
	unshare --mount=/run/kept/mnt --propagation private "$@"
}

let_namespace_go()
{
	umount /run/kept/mnt
	umount /run/kept
}

scenario_a_mount_namespace_kept_by_a_mount_of_its_file()
{
	fresh_ext4
	keep_namespace_by_mount true
	# one more in there, kept by a mount that only that one shows
	nsenter --mount=/run/kept/mnt sh -c 'mkdir -p /run/inner && mount -t tmpfs none /run/inner &&
		touch /run/inner/mnt && exec unshare --mount=/run/inner/mnt --propagation private true'
	umount "$mnt"
	list_holders namespace0.0
	expect_json '[.holders[] | select(.kind == "mount" and .name == "/mnt/data") | .kept_by] | sort ==
		["/run/inner/mnt", "/run/kept/mnt"]'
	snapshot >"$work/before"
	retire namespace0.0
	expect_exit 2
	expect "it is said to people" grep -q "kept by /run/kept/mnt" "$work/err"
	expect "nothing has changed" cmp "$work/before" <(snapshot)
	retire namespace0.0 --evict=stop
	expect_retired
	expect "the namespaces are still kept" nsenter --mount=/run/kept/mnt test -e /run/inner/mnt
	restore namespace0.0
	expect_exit 0
	if [[ $(uname -r) != 6.1.* ]]; then
		expect "it is mounted there again" nsenter --mount=/run/kept/mnt mountpoint -q "$mnt"
	fi
	let_namespace_go
	holder_row mnt-ns-bound named stop "a mount namespace kept by a mount of its file"
}

scenario_a_mount_namespace_kept_by_a_descriptor()
{
	fresh_ext4
	unshare -m --propagation private sleep 1000 &
	local lived=$!
	wait_until 10 test -e "/proc/$lived"
	sleep 0.5
	sleep 2000 9<"/proc/$lived/ns/mnt" &
	local keeper=$!
	sleep 0.5
	kill -KILL "$lived"
	umount "$mnt"
	list_holders namespace0.0
	expect_json ".holders[] | select(.kind == \"mount\") | .kept_by == \"sleep[$keeper]\""
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 --evict=stop
	expect_retired
	expect "who keeps the namespace lives" test -e "/proc/$keeper"
	kill -KILL "$keeper"
	holder_row mnt-ns-descriptor named stop "a mount namespace kept by an open descriptor"
}

# The claim meets a holder that nothing shows: the mount is back in a namespace that nobody lives in
scenario_a_rollback_into_a_kept_mount_namespace()
{
	fresh_ext4
	hold detached-mount "$mnt"
	keep_namespace_by_mount true
	umount "$mnt"
	nsenter --mount=/run/kept/mnt cat /proc/self/mountinfo | sed 's/^[0-9]* [0-9]* //' | sort >"$work/before"
	retire namespace0.0 --evict=kill --grace=0.5
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0) and (.losses | length == 0)'
	nsenter --mount=/run/kept/mnt cat /proc/self/mountinfo | sed 's/^[0-9]* [0-9]* //' | sort >"$work/after"
	expect "the namespace is as it was" diff "$work/before" "$work/after"
	kill -KILL "$held"
	let_namespace_go
}
