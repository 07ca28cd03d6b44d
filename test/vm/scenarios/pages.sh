# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# References to pages: those that no list shows are counted, name their file,
# and nothing is taken away under them.

listed_pages() { list_holders --pages namespace0.0; }
is_idle() { listed_pages; jq -e '.devices[0].pages.referenced == 0' "$work/out" >/dev/null; }
# released: whoever held is ended, and its references with it
released()
{
	kill "$held"
	expect "its references go with it" wait_until 30 is_idle
}

# retire_late ARG...: a retirement that has had its first look and touched nothing yet; it is stopped until go_on
retire_late()
{
	"$program" ndctl retire-namespace namespace0.0 "$@" >"$work/out" 2>"$work/err" &
	tool=$! runner=$!
	expect "it begins" wait_for_journal
	kill -STOP "$tool"
}

wait_for_journal()
{
	until compgen -G "/run/dax-retire/journal/*" >/dev/null; do
		kill -0 "$tool" || return
		sleep 0.01
	done
}

# retire_to_commit: one that has counted for the last time, and is stopped when it writes down the commit
retire_to_commit()
{
	strace -f -qq --seccomp-bpf -o "$work/strace" -e trace=fdatasync -e inject=fdatasync:delay_enter=3000000:when=1 \
		"$program" ndctl retire-namespace namespace0.0 --timeout=200 >"$work/out" 2>"$work/err" &
	runner=$!
	expect "it has counted" wait_until 90 grep -q '^count-references' "$work/err"
	expect "it gets to the commit" wait_until 60 is_syncing
	tool=$(pgrep -P "$runner" -x dax-retire)
	kill -STOP "$tool"
}

go_on()
{
	kill -CONT "$tool"
	wait "$runner"
	rc=$?
	ms=0
}

expect_rolled_back()
{
	expect_exit 3
	expect_json '.result == "rolled-back" and (.stuck // [] | length == 0)'
	expect_json '[.steps[] | select(.step == "unbind" and .state == "done")] | length == 0'
}

scenario_what_is_retired_was_counted()
{
	fresh_ext4
	hold map "$mnt/mapped" 8388608
	listed_pages
	expect_json '.devices[0].pages | .referenced == 0 and .counted > 250000'
	retire namespace0.0 --evict=kill --grace=1
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok == true and .pages > 250000'
	expect_json '.steps | map(.step) | index("foresee-references") < index("unmount") and
		index("claim") < index("count-references") and index("count-references") < index("unbind")'
}

scenario_an_invisible_pin_refuses_and_names_its_file()
{
	fresh_ext4
	mkdir "$mnt/dir"
	hold invisible-pin "$mnt/dir/pinned"
	listed_pages
	expect_json '.devices[0].pages | .referenced == 1 and .runs[0].path == "/dir/pinned"'
	expect_json ".devices[0].pages.runs[0].inode == $(stat -c %i "$mnt/dir/pinned")"
	run ndctl list-holders --tree --pages namespace0.0
	expect "people see it, too" grep -q " 1 of [0-9]* pages referenced ($mnt/dir/pinned, inode" "$work/out"
	before=$(snapshot)
	# where the kernel does not tell whose it is
	DAX_RETIRE_BPF=never retire namespace0.0 --force
	expect_exit 2
	expect_json '.result == "refused" and (.changed | not) and (.steps | length == 0)'
	expect_json '.vetoes[] | select(.code == "pinned") | .message | contains("/dir/pinned, inode")'
	expect "nothing was touched" test "$before" = "$(snapshot)"
	expect "it can be written to" can_write
	released
	retire namespace0.0 --force
	expect_retired
	holder_row pin-without-bpf counted never "pages of a file in a pipe, where BPF cannot be asked for who has them"
}

scenario_a_pin_of_a_process_that_is_seen_goes_with_it()
{
	fresh_ext4
	hold pin "$mnt/pinned"
	retire namespace0.0
	expect_exit 2
	expect_json '.vetoes[] | select(.code == "page-reference") | .severity == "holder" and .lifted_by == "--evict=term"'
	retire namespace0.0 --force --grace=1
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok'
}

# Neither a descriptor nor a mapping shows it, before the SIGTERM and after
scenario_a_pin_of_one_that_heeds_no_signal_is_killed()
{
	fresh_ext4
	hold --ignore-term invisible-pin "$mnt/pinned"
	retire namespace0.0 --evict=term --grace=0.5
	expect_exit 3
	expect_json '.message | contains("after SIGTERM")'
	expect "it lives" test -e "/proc/$held/exe"
	expect "it is mounted" is_mounted
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
	expect_json ".losses | any(.name == \"mkholder[$held]\" and .reason == \"SIGKILL\")"
}

# It comes after the first look; what then is seen of it is nothing
scenario_a_pin_that_comes_late_rolls_back()
{
	fresh_ext4
	retire_late --evict=stop
	hold invisible-pin "$mnt/pinned"
	before=$(snapshot)
	go_on
	expect_rolled_back
	expect_json '[.steps[] | select(.state == "failed") | .step] == ["foresee-references"]'
	expect "the same is mounted" test "$before" = "$(snapshot)"
	expect "it can be written to" can_write
	released
	retire namespace0.0 --evict=stop
	expect_retired
}

# Every kind that mkholder makes: whatever the answer is, nothing is unbound under a page that is referenced
scenario_no_unbind_comes_under_a_pin()
{
	local kind kinds
	kinds=$("$mkholder" --list | sed -n 's/^\([a-z-]*\(pin\|buffer\)\)\t.*/\1/p')
	expect "there are kinds" test "$(wc -w <<<"$kinds")" -ge 3
	fresh_ext4
	for kind in $kinds; do
		# no kernel lets a buffer be registered of a file on fsdax
		[[ $kind != uring-buffer ]] || continue
		hold --ignore-term "$kind" "$mnt/$kind"
		retire namespace0.0 --evict=term --grace=0.5
		expect "it holds" test -d "/proc/$held"
		expect "nothing is retired" test "$rc" != 0
		expect "$kind: the namespace is as it was" test -b /dev/pmem0
		expect "$kind: it is mounted" is_mounted
		kill -KILL "$held"
		wait_until 30 is_idle || failed=1
	done
	retire namespace0.0 --evict=stop
	expect_retired
}

scenario_without_the_privilege_it_is_unknown_and_says_so()
{
	fresh_ext4
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-bpf,-perfmon,-sys_admin \
		"$program" ndctl list-holders --pages namespace0.0 >"$work/out" 2>"$work/err"
	expect_json '.devices[0].pages | .referenced == null and (.reason | length > 0)'
}

# What the kernel does not let be looked at refuses; who takes the risk is told that it was not known
scenario_where_it_cannot_be_told_it_is_a_risk()
{
	fresh_ext4
	mount --bind /dev/null /sys/kernel/btf/vmlinux
	retire namespace0.0 --force
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands)] | length == 1 and .[0].code == "references-unknown" and
		.[0].severity == "risk" and .[0].lifted_by == "--allow=references-unknown"'
	retire namespace0.0 --force --allow=references-unknown
	umount /sys/kernel/btf/vmlinux
	expect_retired
	expect_json '.verify[] | select(.check == "no-references") | .ok == null and (.reason | length > 0)'
}

# Where nothing is counted, the last umount of older kernels still warns of it, and that of newer ones waits
scenario_what_was_not_counted_shows_at_the_umount()
{
	fresh_ext4
	hold invisible-pin "$mnt/pinned"
	mount --bind /dev/null /sys/kernel/btf/vmlinux
	touch "$work/warnings-expected" "$work/spoils"
	retire namespace0.0 --force --allow=references-unknown --timeout=15
	umount /sys/kernel/btf/vmlinux
	case $(uname -r) in
	6.*)
		expect_rolled_back
		expect_json '.message | contains("dax_disassociate_entry")'
		expect "it is mounted" is_mounted
		expect "it can be written to" can_write
		;;
	*)
		expect_exit 4
		expect_json '.stuck[0].subject == "/mnt/data"'
		expect "it was not unbound" test -b /dev/pmem0
		;;
	esac
	kill "$held"
}

# The rest leaves the namespace in another mode, and goes last
scenario_pins_of_a_device_dax_are_counted()
{
	ndctl disable-namespace namespace0.0 >/dev/null
	dev=$(setup_devdax) || failed=1
	for kind in map pin invisible-pin uring-buffer; do
		# 6.1 takes no file's memory as a buffer
		[[ $kind != uring-buffer || $(uname -r) != 6.1.* ]] || continue
		hold "$kind" "$dev" 2097152
		listed_pages
		expect_json ".devices[0].pages.referenced == $([[ $kind == map ]] && echo 0 || echo 1)"
		retire namespace0.0 --evict=stop
		expect_exit 2
		expect_json '[.vetoes[] | select(.stands) | .code] - ["page-reference", "process"] == []'
		expect "$kind: its driver is there" test -e "/sys/bus/dax/devices/${dev##*/}/driver"
		released
	done
	retire_late
	hold invisible-pin "$dev" 2097152
	go_on
	expect_rolled_back
	expect_json '[.steps[] | select(.state == "failed") | .step] | inside(["count-references", "claim"])'
	released
	a_pin_after_the_commit
	retire namespace0.0
	expect_exit 0
	expect_json '.result == "already-retired"'
}

# Nobody can be kept from opening a device-dax: what comes after the last count is found before the unbind
a_pin_after_the_commit()
{
	retire_to_commit
	hold invisible-pin "$dev" 2097152
	go_on
	expect_exit 4
	expect_json '.stuck | length > 0 and (.[0].message | contains("references 1 page"))'
	expect_json '.verify[] | select(.check == "no-references") | .ok == null'
	expect "its driver is there" test -e "/sys/bus/dax/devices/${dev##*/}/driver"
	released
	recover
	expect_exit 0
	expect "it is retired" test ! -e "$dev"
}

# A machine with assigned devices has all of it pinned; so has one large buffer
scenario_a_device_dax_may_be_referenced_as_a_whole()
{
	# 6.1 takes no file's memory as a buffer
	[[ $(uname -r) != 6.1.* ]] || return
	ndctl disable-namespace namespace0.0 >/dev/null
	dev=$(setup_devdax) || failed=1
	size=$(cat "/sys/bus/dax/devices/${dev##*/}/size")
	ulimit -l unlimited
	# one buffer has at most 1 GiB: io_uring/rsrc.c
	hold uring-buffer "$dev" $((size < 1 << 30 ? size : 1 << 30))
	listed_pages
	expect_json '.devices[0].pages.referenced > 400'
	retire namespace0.0
	expect_exit 2
	retire namespace0.0 --force --grace=1
	expect_exit 0
	expect_json '.result == "retired" and (.verify[] | select(.check == "no-references") | .ok)'
}

scenario_sector_mode_has_no_pages()
{
	ndctl disable-namespace namespace0.0 >/dev/null
	ndctl create-namespace -f -m sector -e namespace0.0 >/dev/null || failed=1
	retire namespace0.0
	expect_exit 0
	expect_json '.verify[] | select(.check == "no-references") | .ok == true and .pages == 0'
	expect_json '.steps | map(.step) | index("count-references") == null'
}

# It cannot be taken back before the next boot
scenario_a_locked_down_kernel_cannot_tell()
{
	touch "$work/spoils"
	mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
	ndctl disable-namespace namespace0.0 >/dev/null
	setup_fsdax >/dev/null || failed=1
	echo confidentiality >/sys/kernel/security/lockdown || failed=1
	retire namespace0.0 --dry-run
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands) | .code] | index("references-unknown")'
	expect_json '.devices[0].pages | .referenced == null and (.reason | contains("lockdown"))'
}
