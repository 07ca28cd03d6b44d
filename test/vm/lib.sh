# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the scenarios that test/vm/run runs in a guest. Sourced, not run.
# A function that fails says why on stderr and returns 1.

lab_fail()
{
	echo "lab: $*" >&2
	return 1
}

# wait_until SECONDS COMMAND...: runs COMMAND ten times a second until it succeeds
wait_until()
{
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
		sleep 0.1
	done
}

# setup_fsdax [NAMESPACE [ARG...]]: makes the namespace (namespace0.0) fsdax, prints its block device; ARGs go to ndctl
setup_fsdax()
{
	local ns=${1:-namespace0.0} dev
	# The map in memory: it is what most systems have, and quicker than in the device
	dev=$(ndctl create-namespace -f -m fsdax -M mem -e "$ns" "${@:2}" | jq -r .blockdev) || dev=
	[[ -n $dev && $dev != null ]] || lab_fail "$ns did not become fsdax" || return
	wait_until 10 test -b "/dev/$dev" || lab_fail "no /dev/$dev" || return
	echo "/dev/$dev"
}

# setup_devdax [NAMESPACE [ARG...]]: makes the namespace (namespace0.0) devdax, prints its character device
setup_devdax()
{
	local ns=${1:-namespace0.0} dev
	dev=$(ndctl create-namespace -f -m devdax -M mem -e "$ns" "${@:2}" | jq -r '.daxregion.devices[0].chardev') || dev=
	[[ -n $dev && $dev != null ]] || lab_fail "$ns did not become devdax" || return
	wait_until 10 test -c "/dev/$dev" || lab_fail "no /dev/$dev" || return
	echo "/dev/$dev"
}

# setup_xfs DEV MOUNTPOINT [ARG...]: XFS with DAX always on; ARGs go to mkfs.xfs. Loading xfs takes seconds when emulated, so: ext4 where either will do
setup_xfs()
{
	mkfs.xfs -q -f -m reflink=0,rmapbt=1 "${@:3}" "$1" >&2 || lab_fail "mkfs.xfs $1" || return
	mkdir -p "$2"
	mount -t xfs -o dax=always "$1" "$2" || lab_fail "mount $1"
}

# setup_ext4 DEV MOUNTPOINT [ARG...]: ext4 with DAX always on; ARGs go to mkfs.ext4
setup_ext4()
{
	mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=1,nodiscard "${@:3}" "$1" >&2 || lab_fail "mkfs.ext4 $1" || return
	mkdir -p "$2"
	mount -t ext4 -o dax=always "$1" "$2" || lab_fail "mount $1"
}

# setup_unwritable DEV MOUNTPOINT: XFS with a file f whose new data lies in the page cache above bad blocks: the
# driver refuses to write there, since nothing clears the poison
setup_unwritable()
{
	local dev=$1 file=$2/f from
	mkfs.xfs -q -f "$dev" && mkdir -p "$2" && mount -o dax=never "$dev" "$2" || lab_fail "no XFS on $dev" || return
	dd if=/dev/zero of="$file" bs=64k count=16 status=none
	sync -f "$2"
	from=$(xfs_io -r -c bmap "$file" | sed -n 's/.*0: \[.*\]: \([0-9]*\)\.\..*/\1/p')
	[[ $from ]] && echo "$from 64" >"/sys/block/${dev##*/}/badblocks" || lab_fail "no bad blocks on $dev" || return
	dd if=/dev/urandom of="$file" bs=64k count=16 conv=notrunc status=none
}

# kernel_mark: prints a mark for kernel_warnings_since and kernel_log_since
kernel_mark()
{
	local mark="lab-mark-$$-${EPOCHREALTIME/[.,]/}"
	echo "<6>$mark" >/dev/kmsg
	echo "$mark"
}

# kernel_log_since [MARK]: the kernel's log after MARK, or all of it
kernel_log_since()
{
	dmesg | if [[ -n ${1-} ]]; then sed "1,/$1/d"; else cat; fi
}

# kernel_warnings_since [MARK]: prints how many warnings, oopses, hung tasks, lockdep reports came after MARK; they go to stderr
kernel_warnings_since()
{
	kernel_log_since "${1-}" | awk '
		/appears to be on the same physical disk/ { next } # md, of two partitions
		/WARNING:|BUG:|Oops[: ]|general protection fault|blocked for more than [0-9]+ seconds/ ||
		/soft lockup|hard LOCKUP|rcu: INFO: .*stall|rcu_.* detected .*stall/ ||
		/possible (circular|recursive) locking|INFO: possible|inconsistent lock state|Bad page state|refcount_t: / {
			n++; print > "/dev/stderr"
		}
		END { print n + 0 }'
}
