# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# shellcheck disable=SC2154
#
# Overlays with layers on the device: they have mounts of these of their own,
# which no table shows.

merged=/mnt/merged

# layers: directories for an overlay
layers()
{
	fresh_ext4
	mkdir -p "$mnt"/{lower,upper,work} "$merged"
	echo below >"$mnt/lower/below"
}

# overlay [OPTION]: over all of them
overlay() { mount -t overlay overlay -o "lowerdir=$mnt/lower,upperdir=$mnt/upper,workdir=$mnt/work${1-}" "$merged" || failed=1; }

# as the mount table has it, without the numbers that are new with each mount
overlay_line() { sed -n "/ ${merged//\//\\/} /s/^[0-9]* [0-9]* [0-9:]* //p" /proc/self/mountinfo; }

scenario_an_overlay_goes_first_and_is_put_back_and_restored()
{
	local before
	layers
	overlay
	hold open "$merged/f"
	before=$(overlay_line)
	list_holders namespace0.0
	expect_exit 0
	expect_json '.complete and (.holders[] | select(.kind == "overlay") | .name == "/mnt/merged")'
	expect_json ".holders[] | select(.kind == \"process\") | .pid == $held and .uses == [\"open\"]"
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands) | .code] == ["process"]'
	expect "it is mounted" is_mounted "$merged"
	# what nothing shows is met by the claim: all goes back
	hold_unseen "$mnt"
	retire namespace0.0 --evict=kill --grace=0.5
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect "it is mounted as before" test "$before" = "$(overlay_line)"
	expect "what was written into it is there" test -e "$merged/f"
	expect "it takes writes" can_write "$merged"
	end_unseen
	retire namespace0.0 --evict=stop
	expect_retired
	expect_json '.steps | map(select(.step == "unmount") | .subject) == ["/mnt/merged", "/mnt/data"]'
	restore namespace0.0
	expect_exit 0
	expect "it is mounted as before" test "$before" = "$(overlay_line)"
	expect "its layers are there" test -e "$merged/below"
	umount "$merged"
	holder_row overlay named stop "an overlay with layers on it"
}

scenario_overlays_of_another_namespace_and_on_an_overlay()
{
	layers
	mkdir -p "$mnt"/{other,upper2,work2} /mnt/second
	unshare -m --propagation private sleep 1000 &
	local other=$!
	sleep 0.5
	nsenter -t "$other" -m sh -c "mount -t overlay inner -o lowerdir=$mnt/lower:$mnt/other $merged &&
		mount -t overlay outer -o lowerdir=$merged,upperdir=$mnt/upper2,workdir=$mnt/work2 /mnt/second" || failed=1
	list_holders namespace0.0
	expect_json '[.holders[] | select(.kind == "overlay") | .name] | sort == ["/mnt/merged", "/mnt/second"]'
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands and .code == "overlay") | .lifted_by] == ["--evict=stop", "--evict=stop"]'
	retire namespace0.0 --evict=stop
	expect_retired
	expect "nobody was ended" test -e "/proc/$other"
	restore namespace0.0
	expect_exit 0
	if [[ $(uname -r) != 6.1.* ]]; then
		expect "both are there again" nsenter -t "$other" -m sh -c "mountpoint -q $merged && test -e /mnt/second/below"
	fi
	kill -KILL "$other"
	holder_row overlay-elsewhere named stop "an overlay in another mount namespace, and one on that"
}

scenario_an_overlay_whose_layers_cannot_be_found_refuses()
{
	layers
	(cd "$mnt" && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work "$merged") || failed=1
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code + " " + .subject) == ["incomplete /mnt/merged"]'
	retire namespace0.0 --evict=kill --allow=incomplete --grace=0.2 --timeout=30
	expect_exit 3
	expect "it is mounted" is_mounted
	umount "$merged"
	holder_row overlay-relative unknown-holder never "an overlay whose layers have relative names"
	overlay ,volatile
	retire namespace0.0 --evict=stop
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | map(.code + " " + .subject) == ["volatile-mount /mnt/merged"]'
	retire namespace0.0 --evict=stop --allow=volatile-mount
	expect_retired
}

# Its layers keep the file system although nothing is mounted from it
scenario_an_overlay_on_a_file_system_that_was_unmounted()
{
	layers
	overlay
	umount "$mnt"
	list_holders namespace0.0
	expect_json '.complete == false'
	retire namespace0.0 --evict=kill
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands) | .code] | sort == ["incomplete", "unknown-holder"]'
	expect "it is mounted" is_mounted "$merged"
	umount "$merged"
	retire namespace0.0
	expect_retired
	holder_row overlay-unmounted unknown-holder never "an overlay on a file system that was unmounted since"
}
