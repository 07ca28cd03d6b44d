# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sampled
# guest: --pmem 1026M --pmem 514M
#
# What was retired is enabled again, with a program of the tests: only the same
# device, in the same mode, without udev.

enable() { "$build/test/helpers/enable" "$@" >"$work/enabled" 2>"$work/enable.err" || failed=1; }

# around NAME: retires it and enables it again
around() { enable "$1" -- "$program" ndctl "retire-${2:-namespace}" "$1"; }

expect_line() { expect "$1" grep -qx -- "$1" "$work/enabled"; }

as_mode()
{
	ndctl create-namespace -f -m "$1" -e namespace0.0 "${@:2}" >"$work/made" 2>&1 || {
		failed=1
		sed 's/^/# /' "$work/made"
	}
}

mode_now() { ndctl list -N -i -n namespace0.0 | jq -r '.[0] | .mode + " " + (.state // "enabled")'; }

expect_enabled()
{
	expect_line "command 0"
	expect_line "namespace0.0 enable 0"
	expect "it is enabled in its mode" test "$(mode_now)" = "$1 enabled"
}

scenario_fsdax_with_its_contents()
{
	fresh_ext4
	echo kept >"$mnt/kept"
	umount "$mnt"
	around namespace0.0
	expect_enabled fsdax
	expect_line "namespace0.0 identity 0 "
	mount -o dax=always /dev/pmem0 "$mnt" || failed=1
	expect "what was written is there" grep -q kept "$mnt/kept"
	umount "$mnt"
	# enabled already
	enable namespace0.0 -- true
	expect_line "namespace0.0 enable 1"
}

scenario_raw_sector_and_devdax()
{
	as_mode raw
	around namespace0.0
	expect_enabled raw
	as_mode sector
	around namespace0.0
	expect_enabled sector
	expect "its disk is there" test -b /dev/pmem0s
	as_mode devdax -M mem
	around namespace0.0
	expect_enabled devdax
	expect "its node is there" wait_until 5 test -c /dev/dax0.0
	as_mode fsdax -M mem
}

scenario_modules_are_loaded_unless_blacklisted()
{
	as_mode devdax -M mem
	enable namespace0.0 -- sh -c "'$program' ndctl retire-namespace namespace0.0 && modprobe -r dax_pmem device_dax"
	expect_enabled devdax
	printf 'blacklist dax_pmem\nblacklist device_dax\n' >/etc/modprobe.d/test.conf
	enable namespace0.0 -- sh -c "'$program' ndctl retire-namespace namespace0.0 && modprobe -r dax_pmem device_dax"
	expect_line "command 0"
	expect_line "namespace0.0 enable -1"
	expect "no module was loaded" bash -c '! grep -qw -e dax_pmem -e device_dax /proc/modules'
	rm /etc/modprobe.d/test.conf
	modprobe -a device_dax dax_pmem
	as_mode fsdax -M mem
}

scenario_another_one_is_left_alone()
{
	# made anew under the same name meanwhile
	enable namespace0.0 -- ndctl create-namespace -f -m fsdax -M mem -e namespace0.0
	expect_line "command 0"
	expect_line "namespace0.0 enable -116"
	expect "a sentence names both" grep -q "^namespace0.0 identity -116 .*is another one: its .* is .*, it was " "$work/enabled"
	# while it is disabled
	enable namespace0.0 -- sh -c "ndctl create-namespace -f -m fsdax -M mem -e namespace0.0 && ndctl disable-namespace namespace0.0"
	expect_line "namespace0.0 enable -116"
	ndctl enable-namespace namespace0.0 >/dev/null 2>&1
	enable --stale namespace0.0 -- "$program" ndctl retire-namespace namespace0.0
	expect_line "command 0"
	expect_line "namespace0.0 enable -116"
	expect "nothing was done" bash -c 'ndctl list -N -i -n namespace0.0 | jq -e ".[0].state == \"disabled\""'
	enable --stale region0 -- "$program" ndctl retire-region region0
	expect_line "region0 enable -116"
	expect_line "namespace0.0 enable -6"
	expect "the region is left disabled" bash -c 'ndctl list -R -i -r region0 | jq -e ".[0].state == \"disabled\""'
	ndctl enable-region region0 >/dev/null
}

scenario_a_region_with_its_namespaces()
{
	fresh_ext4
	echo kept >"$mnt/kept"
	umount "$mnt"
	around region0 region
	expect_line "command 0"
	expect_line "region0 identity 0 "
	expect_line "region0 enable 0"
	# the kernel binds them with the region
	expect_line "namespace0.0 enable 1"
	expect "it is enabled in its mode" test "$(mode_now)" = "fsdax enabled"
	mount -o dax=always /dev/pmem0 "$mnt" || failed=1
	expect "what was written is there" grep -q kept "$mnt/kept"
	umount "$mnt"
	enable region0 -- true
	expect_line "region0 enable 1"
	# a device-dax gets the last of its drivers in the background
	as_mode devdax -M mem
	enable region0 -- sh -c "'$program' ndctl retire-region region0 && modprobe -r dax_pmem device_dax"
	expect_line "region0 enable 0"
	expect "enabled with the region or behind it" grep -qx "namespace0.0 enable [01]" "$work/enabled"
	expect "it is enabled in its mode" test "$(mode_now)" = "devdax enabled"
	as_mode fsdax -M mem
}

# What the last step of a retirement does by itself
scenario_a_region_in_use_is_not_unbound()
{
	fresh_ext4
	enable --disable region0
	expect_line "region0 disable -16"
	expect "it takes writes" can_write
	umount "$mnt"
	enable --disable region0
	expect_line "region0 disable -16"
	expect "the namespace is enabled" test "$(mode_now)" = "fsdax enabled"
	ndctl disable-namespace namespace0.0 >/dev/null
	enable --disable region0
	expect_line "region0 disable 0"
	ndctl enable-region region0 >/dev/null
	expect "it comes back" wait_until 10 test -b /dev/pmem0
}
