# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
#
# What goes wrong on the way: holders that do not end, freezes that fail or
# hang, data that cannot be written, and a tool that is killed, stopped or
# interrupted. Whatever happens, nothing stays frozen or half taken down.

# In the background: $tool is its pid. A shell starts what is in the background
# with SIGINT ignored, which is not how people start it.
start()
{
	setsid env --default-signal=INT,TERM,HUP "$program" ndctl retire-namespace namespace0.0 "$@" \
		>"$work/out" 2>"$work/err" &
	runner=$! tool=$!
	started=${EPOCHREALTIME/[.,]/}
}

# finish: waits for the one in the background; $rc and $ms as run() sets them
finish()
{
	wait "$runner" 2>/dev/null
	rc=$?
	ms=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
}

# 306 is syncfs(2); strace stops it at the entry
is_in_syncfs() { grep -q '^306 ' "/proc/$1/syscall" 2>/dev/null; }

# The flush is done by a child of its own; a guardian is there only from the freeze to the thaw
is_in_flush()
{
	tool=$(pgrep -P "$runner" -x dax-retire) && guardian=$(pgrep -P "$tool" -x dax-retire-grd) &&
		flush=$(pgrep -P "$tool" -x dax-retire) && is_in_syncfs "$flush"
}

# start_held CALL SECONDS ARG...: the same, held up before that system call
start_held()
{
	setsid strace -f -qq --seccomp-bpf -o "$work/strace" -e "trace=$1" -e "inject=$1:delay_enter=$(($2 * 1000000))" \
		"${held_at[@]}" env --default-signal=INT,TERM,HUP "$program" ndctl retire-namespace namespace0.0 "${@:3}" \
		>"$work/out" 2>"$work/err" &
	runner=$!
	started=${EPOCHREALTIME/[.,]/}
}

# start_frozen SECONDS ARG...: held up for that long while the file system is frozen
start_frozen()
{
	held_at=()
	start_held syncfs "$@"
	wait_until 30 is_in_flush && return
	failed=1
	echo "# it did not get to the flush"
	sed 's/^/#   /' "$work/err" | tail -5
}

# A freeze by somebody else fails on what is frozen, and a write would hang for good
is_taken()
{
	fsfreeze -f "$mnt" 2>/dev/null || return 0
	fsfreeze -u "$mnt"
	return 1
}

is_waiting() { grep -q ') D' "/proc/$held/stat"; }
# its name is in the output of the last run, for people and for scripts
is_named() { grep -qF "mkholder[$held]" "$work/err" && grep -qF "mkholder[$held]" "$work/out"; }
is_asking() { grep -qs 'terminate' "$work/err"; }
no_guardian() { ! pgrep -x dax-retire-grd; }
is_unlocked() { flock -n /run/dax-retire/lock true; }

expect_rolled_back()
{
	expect_exit 3
	expect_json '.result == "rolled-back" and (.message | length > 0) and (.stuck // [] | length == 0)'
}

# the mount is at work again, and nothing of the tool is left
expect_mounted_and_writable()
{
	expect "it is mounted" is_mounted
	expect "it takes writes" can_write
	expect "no guardian is left" wait_until 15 no_guardian
	expect "the lock is free" wait_until 10 is_unlocked
}

another_run_succeeds()
{
	retire namespace0.0 --evict=kill --grace=0.5
	expect_retired
}

scenario_a_process_that_ignores_term()
{
	fresh_ext4
	echo content >"$mnt/f"
	hold --ignore-term map "$mnt/f"
	before=$(snapshot)
	retire namespace0.0 --evict=term --grace=1
	expect_rolled_back
	expect "it is named" is_named
	expect_json '(.changed | not) and .losses == []'
	expect "nothing changed" test "$before" = "$(snapshot)"
	expect "it lives" test -e "/proc/$held"
	expect_mounted_and_writable
	another_run_succeeds
	expect_json '[.losses[] | select(.kind == "process" and .reason == "SIGKILL")] | length == 1'
}

# Its write(2) waits for the thaw of another file system, where no signal reaches it
scenario_a_process_that_no_signal_reaches()
{
	modprobe -q loop
	fresh_ext4
	echo content >"$mnt/f"
	truncate -s 32M "$work/image"
	mkfs.ext4 -q "$work/image" && mkdir -p /mnt/other && mount -o loop "$work/image" /mnt/other || failed=1
	hold write /mnt/other/f 9<"$mnt/f"
	fsfreeze -f /mnt/other
	wait_until 10 is_waiting || failed=1
	before=$(snapshot)
	retire namespace0.0 --evict=kill --grace=0.5 --timeout=8
	expect_rolled_back
	expect "it is named" is_named
	expect_json '.message | contains("waits in")'
	expect "it gave up in time" test "$ms" -lt 40000
	echo "# figure: unkillable: $ms ms of --timeout=8"
	expect "nothing changed" test "$before" = "$(snapshot)"
	expect_mounted_and_writable
	fsfreeze -u /mnt/other
	another_run_succeeds
	umount /mnt/other
}

scenario_a_lazily_unmounted_file_system()
{
	fresh_xfs
	hold open "$mnt/f"
	umount -l "$mnt"
	list_holders namespace0.0
	expect_json '.holders[] | select(.kind == "superblock") | .fstype == "xfs"'
	expect_json ".holders[] | select(.kind == \"process\") | .pid == $held"
	retire namespace0.0
	expect_exit 2
	expect_json '[.vetoes[] | select(.stands) | .code] | index("superblock") != null and index("process") != null'
	expect "its process lives" test -e "/proc/$held"
	another_run_succeeds
}

scenario_a_freeze_of_somebody_else_stays()
{
	fresh_ext4
	echo content >"$mnt/f"
	hold --ignore-term open "$mnt/f"
	fsfreeze -f "$mnt"
	retire namespace0.0 --evict=kill --grace=0.5
	expect_rolled_back
	expect_json '.message | contains("frozen")'
	expect_json '[.steps[] | select(.state == "failed") | .step] == ["freeze"]'
	expect "it is still frozen" is_taken
	expect "nobody was killed" test -e "/proc/$held"
	expect "it is mounted" is_mounted
	fsfreeze -u "$mnt"
	expect_mounted_and_writable
	another_run_succeeds
}

scenario_a_freeze_that_hangs()
{
	fresh_ext4
	hold --ignore-term uffd-write "$mnt/f"
	retire namespace0.0 --evict=kill --grace=0.5
	expect_exit 4
	expect_json '.result == "stuck" and (.stuck | length > 0) and (.stuck[0].subject == "/mnt/data")'
	expect "it gave up in time" test "$ms" -lt 40000
	echo "# figure: hanging freeze: $ms ms"
	expect "the writer was not killed" test -e "/proc/$held"
	expect "it is mounted" is_mounted
	expect "the guardian waits" pgrep -x dax-retire-grd
	retire namespace0.0 --evict=kill
	expect_exit 1
	expect_json '.result == "in-progress"'
	kill -KILL "$held"
	expect "the late freeze is thawed" wait_until 15 no_guardian
	expect_mounted_and_writable
	another_run_succeeds
}

is_freezing()
{
	guardian=$(pgrep -P "$tool" -x dax-retire-grd) && freeze=$(pgrep -P "$guardian") && grep -q ') D' "/proc/$freeze/stat"
}

# Then the child that it left in the kernel thaws what it has frozen
scenario_the_guardian_is_killed_in_a_freeze_that_hangs()
{
	fresh_ext4
	hold --ignore-term uffd-write "$mnt/f"
	start --evict=kill --grace=0.5
	guardian= freeze=
	expect "the freeze hangs" wait_until 20 is_freezing
	[[ ! $guardian ]] || kill -KILL "$guardian"
	finish
	expect_exit 4
	expect_json '.stuck[0].message | contains("guardian was killed")'
	kill -KILL "$held"
	[[ ! $freeze ]] || expect "the freeze has ended" wait_until 15 is_gone "$freeze"
	expect_mounted_and_writable
	another_run_succeeds
}

scenario_data_that_cannot_be_written()
{
	setup_unwritable /dev/pmem0 "$mnt" || failed=1
	before=$(snapshot)
	retire namespace0.0 --evict=stop
	expect_rolled_back
	expect_json '[.steps[] | select(.state == "failed") | .step] == ["flush"]'
	expect_json '.message | contains("could not be written")'
	expect "nothing changed" test "$before" = "$(snapshot)"
	expect_mounted_and_writable
	# the loss was told once; whoever goes on then knows it
	another_run_succeeds
}

scenario_the_tool_is_killed_while_frozen()
{
	local killed
	fresh_ext4
	hold write "$mnt/f"
	start_frozen 4 --evict=kill --grace=0.5
	expect "it is frozen" is_taken
	killed=${EPOCHREALTIME/[.,]/}
	kill -KILL "$tool"
	wait_until 10 can_write || failed=1
	killed=$(((${EPOCHREALTIME/[.,]/} - killed) / 1000))
	expect "it was thawed at once" test "$killed" -lt 10000
	echo "# figure: killed: thawed after $killed ms"
	finish
	expect_mounted_and_writable
	retire namespace0.0
	expect_exit 1
	expect_json '.message | contains("was interrupted") and contains("recover")'
	expect "it can be recovered" wait_until 20 recovered
	expect_exit 0
	expect_json '.result == "recovered"'
	another_run_succeeds
}

scenario_the_guardian_is_killed_while_frozen()
{
	fresh_ext4
	hold write "$mnt/f"
	start_frozen 3 --evict=kill --grace=0.5
	expect "it is frozen" is_taken
	kill -KILL "$guardian"
	finish
	expect_retired
}

scenario_both_are_killed_before_the_kill_and_nothing_is_lost()
{
	fresh_ext4
	hold --ignore-term write "$mnt/f"
	start_frozen 3 --evict=kill --grace=0.5
	kill -KILL "$guardian" "$tool"
	finish
	# nobody is left who could thaw it
	expect "it is frozen" is_taken
	expect "the holder lives" test -e "/proc/$held"
	expect "it can be recovered" wait_until 20 recovered
	expect_exit 0
	expect_json '.result == "recovered" and .losses == []'
	expect_mounted_and_writable
	another_run_succeeds
}

scenario_the_tool_is_stopped_while_frozen()
{
	fresh_ext4
	start_frozen 3 --evict=kill
	kill -STOP "$tool"
	expect "it is frozen" is_taken
	expect "the guardian thaws it" within 15 write_there "$mnt"
	expect "the guardian lives" test -e "/proc/$guardian"
	kill -CONT "$tool"
	finish
	expect_rolled_back
	expect_mounted_and_writable
	another_run_succeeds
}

scenario_the_time_limit_cuts_the_grace()
{
	fresh_ext4
	echo content >"$mnt/f"
	hold --ignore-term open "$mnt/f"
	retire namespace0.0 --evict=kill --grace=60 --timeout=3
	expect_rolled_back
	expect_json '.message | contains("time limit")'
	expect "long before the grace is over" test "$ms" -lt 30000
	echo "# figure: time limit: $ms ms of --timeout=3"
	expect "nobody was killed" test -e "/proc/$held"
	expect_mounted_and_writable
}

interrupted_in_the_grace()
{
	fresh_ext4
	echo content >"$mnt/f"
	hold --ignore-term open "$mnt/f"
	before=$(snapshot)
	start --evict=kill --grace=60
	wait_until 20 is_asking || failed=1
	sleep 0.5
	kill "-$1" "$tool"
	finish
	expect_rolled_back
	expect_json '.message | contains("interrupted")'
	expect "at once" test "$ms" -lt 20000
	expect "nobody was killed" test -e "/proc/$held"
	expect "nothing changed" test "$before" = "$(snapshot)"
	expect_mounted_and_writable
}

scenario_sigint_in_the_grace()
{
	interrupted_in_the_grace INT
}

scenario_sigterm_in_the_grace()
{
	interrupted_in_the_grace TERM
}

scenario_sigint_while_frozen()
{
	fresh_ext4
	hold write "$mnt/f"
	start_frozen 3 --evict=kill --grace=0.5
	kill -INT "$tool"
	finish
	expect_rolled_back
	expect_json '.message | contains("interrupted")'
	expect_mounted_and_writable
	another_run_succeeds
}

# A terminal's ctrl-c reaches every process of the group, children as well
scenario_ctrl_c_while_frozen()
{
	fresh_ext4
	hold write "$mnt/f"
	start_frozen 3 --evict=kill --grace=0.5
	kill -INT "$tool" "$flush"
	finish
	expect_rolled_back
	expect_json '.message | contains("interrupted")'
	expect_mounted_and_writable
	another_run_succeeds
}

is_in_unbind()
{
	tool=$(pgrep -P "$runner" -x dax-retire) && unbind=$(pgrep -P "$tool" -x dax-retire) &&
		[[ $(readlink "/proc/$unbind/fd/"*) == */unbind* ]]
}

# After the commit there is only forward
scenario_ctrl_c_in_the_unbind()
{
	fresh_ext4
	held_at=(-P /sys/bus/nd/drivers/nd_pmem/unbind)
	start_held write 8 --evict=stop
	wait_until 90 is_in_unbind || failed=1
	kill -INT "$tool" "$unbind"
	finish
	expect_retired
}

scenario_two_at_once()
{
	local second
	fresh_ext4
	echo content >"$mnt/f"
	hold --ignore-term open "$mnt/f"
	start --evict=kill --grace=8
	wait_until 20 is_asking || failed=1
	"$program" ndctl retire-namespace namespace0.0 --evict=kill >"$work/out.second" 2>"$work/err.second"
	expect "the second is refused" test $? = 1
	expect "it says so" jq -e '.result == "in-progress" and (.changed | not)' "$work/out.second"
	cp "$work/out.second" "$work/refusal"
	"$program" ndctl retire-namespace namespace0.0 --evict=kill --wait=40 >"$work/out.second" 2>"$work/err.second"
	second=$?
	finish
	expect_retired
	expect "it named the first" grep -q "$(jq -r .id "$work/out") pid $tool" "$work/refusal"
	expect "who waited finds it done" test "$second" = 0
	expect "and says so" jq -e '.result == "already-retired" and (.changed | not)' "$work/out.second"
}

# Of those calls, the ones that are no mere reading. 0xb7 are the ioctls of
# namespaces, 0x66 0x11 is PROCMAP_QUERY, 0x1ca is listmount(2); libndctl tries
# whether it could write deep_flush, and does not. What resumes was judged when
# it began.
changing_calls()
{
	grep -vE ' (\+\+\+|---) | <\.\.\. [a-z0-9_]+ resumed>| open(at|at2)?\(|TCGETS|TIOCGWINSZ|NS_GET_|NS_MNT_GET|PROCMAP_QUERY' "$1" |
		grep -vE '_IOC\(_IOC_READ, 0xb7|_IOC\([^,]*, 0x66, 0x11,|syscall_0x1ca|execve\("[^"]*/dax-retire"'
	grep -E ' open(at|at2)?\(.*O_(WRONLY|RDWR|CREAT|TRUNC|EXCL)' "$1" | grep -vE '"/dev/null"|/deep_flush"'
}

changes_nothing()
{
	local calls=umount2,mount,ioctl,kill,tkill,tgkill,pidfd_send_signal,rt_sigqueueinfo,swapoff,swapon,unlink,unlinkat
	calls+=,rmdir,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,open,openat,openat2
	calls+=,creat,flock,truncate,ftruncate,fallocate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,setxattr
	calls+=,fsetxattr,lsetxattr,fsopen,fsmount,fsconfig,fspick,open_tree,move_mount,mount_setattr,init_module,finit_module
	calls+=,delete_module,chroot,pivot_root,ptrace,execve,syncfs,sync,fsync,fdatasync,umount,reboot,setsockopt,bind
	strace -f -qq --seccomp-bpf -o "$work/strace" -e "trace=$calls" "$program" "$@" >"$work/out" 2>"$work/err"
	rc=$?
	expect "it was traced" grep -q openat "$work/strace"
	changing_calls "$work/strace" >"$work/changes"
	expect "$1 $2 only reads" diff /dev/null "$work/changes"
}

scenario_list_holders_and_a_dry_run_only_read()
{
	fresh_ext4
	hold write "$mnt/f"
	hold map "$mnt/g"
	hold cwd "$mnt"
	mkdir -p "$mnt/sub" /mnt/bind
	mount --bind "$mnt/sub" /mnt/bind
	before=$(snapshot)
	changes_nothing ndctl list-holders namespace0.0
	expect_exit 0
	changes_nothing ndctl retire-namespace namespace0.0 --dry-run
	expect_exit 2
	changes_nothing ndctl retire-namespace namespace0.0 --dry-run --evict=kill
	expect_exit 0
	expect_json '.result == "planned" and (.steps | length > 0)'
	expect "nothing changed" test "$before" = "$(snapshot)"
}

scenario_an_output_that_takes_nothing()
{
	local output
	fresh_ext4
	umount "$mnt"
	for output in closed full; do
		mount -o dax=always /dev/pmem0 "$mnt" || failed=1
		if [[ $output == full ]]; then
			"$program" ndctl retire-namespace namespace0.0 --dry-run --evict=stop >/dev/full 2>/dev/full
			expect "what could not be said changed nothing: exit 1" test $? = 1
			"$program" ndctl retire-namespace namespace0.0 --evict=stop >/dev/full 2>/dev/full
		else
			"$program" ndctl retire-namespace namespace0.0 --evict=stop <&- >&- 2>&-
		fi
		expect "what became of the device counts ($output)" test $? = 0
		expect "it is retired" test ! -e /sys/block/pmem0
		ndctl enable-namespace namespace0.0 >/dev/null
		wait_until 10 test -b /dev/pmem0 || failed=1
	done
}
