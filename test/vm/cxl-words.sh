# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scenarios of CXL have in common, beyond scenario.sh. The guest's devices are known by their serial, which
# is their number in the order in which the guest was asked for them; the kernel names them as they come.

cxl=/sys/bus/cxl/devices
drivers=/sys/bus/cxl/drivers

list_cxl() { run cxl list-holders "$@"; }
retire_memdev() { run cxl retire-memdev "$@"; }
retire_region() { run cxl retire-region "$@"; }

modprobe -a cxl_acpi cxl_pci cxl_mem cxl_port cxl_pmem dax_cxl device_dax kmem nd_pmem 2>/dev/null

# Linux 6.1 makes no regions of volatile memory
has_ram() { [[ -e $(printf '%s\n' "$cxl"/decoder0.* | head -n 1)/create_ram_region ]] || { echo "# $(uname -r) has no such regions"; return 1; }; }

# memdev NUMBER: its name
memdev()
{
	local one
	for one in "$cxl"/mem*; do
		[[ -e $one/serial && $(($(<"$one/serial"))) == $((1000 + $1)) ]] && basename "$one" && return
	done
	return 1
}

# endpoint MEMDEV: the port that its decoders are in; none while it has no driver
endpoint()
{
	local one
	for one in "$cxl"/endpoint*; do
		[[ $one/uport -ef $cxl/$1 ]] && basename "$one" && return
	done
	return 1
}

has_endpoint() { endpoint "$(memdev "$1")"; } >/dev/null
pci_of() { basename "$(dirname "$(readlink -f "$cxl/$1")")"; }
# slot ADDRESS: its directory
slot()
{
	local file
	file=$(grep -lx "${1%.*}" /sys/bus/pci/slots/*/address) && dirname "$file"
}
driver() { basename "$(readlink "$cxl/$1/driver" 2>/dev/null)"; }

free_decoder()
{
	local one
	while read -r one; do
		[[ -z $(<"$one/region") && $(($(<"$one/dpa_size"))) == 0 ]] && basename "$one" && return
	done < <(printf '%s\n' "$cxl/$1"/decoder* | grep '\.[0-9]*$' | sort -V)
	return 1
}

# make_region KIND GRANULARITY NUMBER...: over all of these devices, in that order, with $PART bytes of each, or all; its
# name goes to $region
make_region()
{
	local kind=$1 granularity=$2 root number decoder target=0 size
	shift 2
	root=$(printf '%s\n' "$cxl"/decoder0.* | head -n 1)
	region=$(<"$root/create_${kind}_region") && echo "$region" >"$root/create_${kind}_region" || return
	echo "$granularity" >"$cxl/$region/interleave_granularity" && echo $# >"$cxl/$region/interleave_ways" || return
	[[ $kind != pmem ]] || cat /proc/sys/kernel/random/uuid >"$cxl/$region/uuid"
	local -a decoders=()
	for number; do
		wait_until 10 has_endpoint "$number" || return
		decoder=$(free_decoder "$(endpoint "$(memdev "$number")")") || return
		size=${PART:-$(($(<"$cxl/$(memdev "$number")/$kind/size")))}
		echo "$kind" >"$cxl/$decoder/mode" && echo "$size" >"$cxl/$decoder/dpa_size" || return
		decoders+=("$decoder")
	done
	echo $((size * $#)) >"$cxl/$region/size" || return
	for decoder in "${decoders[@]}"; do
		echo "$decoder" >"$cxl/$region/target$((target++))" || return
	done
	echo 1 >"$cxl/$region/commit" || return
	[[ -e $cxl/$region/driver ]] || echo "$region" >"$drivers/cxl_region/bind"
}

# the blocks of $region
blocks()
{
	local size first
	size=$((0x$(</sys/devices/system/memory/block_size_bytes)))
	first=$(($(<"$cxl/$region/resource") / size))
	seq -f '/sys/devices/system/memory/memory%.0f' "$first" $((first + $(<"$cxl/$region/size") / size - 1))
}

blocks_in() { blocks | sed 's,$,/state,' | xargs grep -lsx "$1" | wc -l; }
snapshot_blocks()
{
	local block
	for block in $(blocks); do
		[[ ! -e $block ]] || echo "${block##*/}:$(<"$block/state"):$(<"$block/valid_zones")"
	done
}
dax() { basename "$cxl/$region"/dax_region*/dax[0-9]*; }
has_dax_driver() { [[ -e /sys/bus/dax/devices/$(dax)/driver ]]; }

# fresh_ram ZONE NUMBER...: memory of the system, online in that zone (movable, kernel)
fresh_ram()
{
	local zone=$1 block
	shift
	echo offline >/sys/devices/system/memory/auto_online_blocks
	make_region ram 256 "$@" || { failed=1; echo "# no region over $*"; return; }
	# a name that was a device once stays with that driver
	expect "its dax device has a driver" wait_until 20 has_dax_driver
	if [[ ! /sys/bus/dax/devices/$(dax)/driver -ef /sys/bus/dax/drivers/kmem ]]; then
		dax >/sys/bus/dax/drivers/device_dax/unbind
		dax >/sys/bus/dax/drivers/device_dax/remove_id
		dax >/sys/bus/dax/drivers/kmem/new_id
	fi 2>/dev/null
	expect "its blocks are there" wait_until 20 test -e "$(blocks | head -n 1)"
	for block in $(blocks | tac); do
		echo "online_$zone" >"$block/state"
	done
}

# fresh_cxl_pmem NUMBER...: a file system on it, mounted at $mnt; its block device goes to $disk, its namespace to $namespace
fresh_cxl_pmem()
{
	make_region pmem 4096 "$@" || { failed=1; echo "# no region over $*"; return; }
	expect "it has an nd region" wait_until 20 nd_region
	namespace=$(ndctl create-namespace -f -m fsdax -M mem -r "$(nd_region)" | jq -r .dev)
	disk=/dev/$(ndctl list -n "$namespace" | jq -r '.[0].blockdev')
	expect "its disk is there" wait_until 20 test -b "$disk"
	expect "its file system is mounted" setup_xfs "$disk" "$mnt"
}

# what the nd bus calls $region
nd_region()
{
	local one
	for one in /sys/bus/nd/devices/region*; do
		[[ $(readlink -f "$one") == */nvdimm-bridge*/* && $(<"$one/resource") == "$(<"$cxl/$region/resource")" ]] &&
			basename "$one" && return
	done
	return 1
}

# as the next scenario wants to find it, by the kernel's own files
leave_cxl()
{
	local one
	pkill -KILL -x mkholder
	pkill -KILL fio
	# then it is the last one of its guest, and the kernel may be in the middle of something
	[[ ! -e $work/spoils ]] || return
	for one in "$cxl"/region*; do
		[[ -e $one ]] || continue
		region=$(basename "$one")
		for block in $(blocks); do
			[[ ! -e $block ]] || timeout 30 bash -c 'echo offline >"$1"' - "$block/state"
		done
		[[ $(blocks_in online) == 0 ]] || { touch "$work/spoils"; return; }
		umount -A "$mnt"
		for device in "$(readlink -f "/sys/bus/nd/devices/$(nd_region)")"/dax*/dax[0-9]*; do
			basename "$device" >/sys/bus/dax/drivers/kmem/unbind
			basename "$device" >/sys/bus/dax/drivers/kmem/remove_id
		done
		ndctl disable-namespace -r "$(nd_region)" all
		ndctl disable-region "$(nd_region)"
		basename "$one"/dax_region*/dax[0-9]* >/sys/bus/dax/drivers/kmem/unbind
		echo "$region" >"$drivers/cxl_region/unbind"
		echo 0 >"$one/commit"
		echo "$region" >"$cxl/root0/$(basename "$(dirname "$(readlink -f "$one")")")/delete_region"
	done
	# the kernel takes it back from the last one of a card on only
	for one in $(printf '%s\n' "$cxl"/decoder* | sort -rV); do
		[[ ! -e $one/dpa_size || $(($(<"$one/dpa_size"))) == 0 ]] || echo 0 >"$one/dpa_size"
	done
	# labels are of a region, and of which cards it was over
	ndctl init-labels -f -b CXL all
	for one in /sys/bus/pci/slots/*; do
		# a card that was powered off is no more, for the emulator
		[[ $(<"$one/power") == 1 ]] || touch "$work/spoils"
	done
	echo 1 >/sys/bus/pci/rescan
	for one in "$cxl"/mem*; do
		[[ -e $one/driver ]] || echo "$(basename "$one")" >"$drivers/cxl_mem/bind"
	done
} >/dev/null 2>&1
trap leave_cxl EXIT

# The answer of the monitor; what it tells by itself is passed over
qmp_answer()
{
	while IFS= read -rt 10 answer <&"$monitor"; do
		[[ $answer != *'"return"'* ]] || return 0
		[[ $answer != *'"error"'* ]] || return 1
	done
	return 1
}

# qmp COMMAND [ARGUMENTS]: asks the monitor of the emulator, as JSON
qmp()
{
	local answer none='{}'
	if [[ ! ${monitor-} ]]; then
		exec {monitor}<>"/dev/$(basename "$(grep -lx lab.monitor /sys/class/virtio-ports/*/name | xargs dirname)")"
		echo '{"execute":"qmp_capabilities"}' >&"$monitor"
		# an error when a scenario before has asked for it
		qmp_answer
	fi
	echo "{\"execute\":\"$1\",\"arguments\":${2:-$none}}" >&"$monitor"
	qmp_answer && return
	echo "$answer"
	return 1
}

# pull NUMBER: as its attention button does, and whoever takes it out after that
pull() { qmp device_del "{\"id\":\"cxl$1\"}"; }

# plug NUMBER SERIAL SIZE: another one of volatile memory, in the slot that NUMBER was in
plug()
{
	qmp object-add "{\"qom-type\":\"memory-backend-ram\",\"id\":\"lab.new$2\",\"size\":$3,\"share\":true}" &&
		qmp device_add "{\"driver\":\"cxl-type3\",\"bus\":\"lab.port$1\",\"id\":\"cxl$1\",\"sn\":$2,\"volatile-memdev\":\"lab.new$2\"}"
}
