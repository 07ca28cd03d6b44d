#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: golden.sh [--update] [--only REGEX] [PROGRAM]
#
# Runs the program over the recorded trees and compares all that it says with
# golden/NAME.json; prints TAP. What it says on stdout as JSON must fit the
# schema. --update writes golden/ anew instead: read the difference, it is what
# users will see. --only runs those whose NAME matches. PROGRAM is build/cli/dax-retire unless it is given.

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
update=
only=
[[ ${1-} != --update ]] || { update=yes; shift; }
[[ ${1-} != --only ]] || { only=$2; shift 2; }
program=$(realpath -e "${1:-$here/../../build/cli/dax-retire}") || exit 99
. "$here/tap.sh"
declare -A known=()

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

[[ $(id -u) == 0 ]] || skip_all "needs root, to mount a recorded tree over /sys"
unshare --mount --propagation private true 2>/dev/null || skip_all "this machine does not let us make a mount namespace"
[[ $(readlink /proc/self/ns/pid) == 'pid:[4026531836]' && $(readlink /proc/self/ns/user) == 'user:[4026531837]' ]] ||
	skip_all "needs the initial pid and user namespaces, as the program does"
[[ ! -e /dev/pmem0 && ! -e /dev/pmem1 ]] || skip_all "this machine has pmem of its own"
python3 -c 'import jsonschema' 2>/dev/null || skip_all "needs python3-jsonschema"

work=$(mktemp -d "${TMPDIR:-/tmp}/golden.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT

# The tree NAME, with device numbers that no device of this machine has: its
# mounts and open files would else be taken for those of the tree.
unpack()
{
	local tree=$work/$1 file link to major minor
	mkdir "$tree"
	tar -xJf "$here/trees/$1.tar.xz" -C "$tree" || exit 99
	while IFS= read -r file; do
		IFS=: read -r major minor <"$file"
		chmod u+w "$file"
		echo "$major:$((minor + 1000000))" >"$file"
	done < <(find "$tree/sys/devices" -type f -name dev)
	for link in "$tree"/sys/dev/{block,char}/*:*; do
		[[ -L $link ]] || continue
		to=${link##*/}
		mv "$link" "${link%/*}/${to%:*}:$((${to#*:} + 1000000))"
	done
}

# try NAME TREE ARG...: one run, of ndctl unless $tool says another
try()
{
	local name=$1 tree=$2 golden=$here/golden/$1.json rc=0 events=
	shift 2
	[[ " $* " != *" --events "* ]] || events=--events
	known[$name]=yes
	[[ $name =~ $only ]] || return 0
	[[ -d $work/$tree ]] || unpack "$tree"
	LC_ALL=${locale:-C.UTF-8} COLUMNS=${columns-} timeout 60 "$here/in-tree" "$work/$tree" "$program" "${tool:-ndctl}" "$@" \
		>"$work/stdout" 2>"$work/stderr" </dev/null || rc=$?
	if ! "$here/as-golden" "$tree" "$rc" "$work/stdout" "$work/stderr" "$@" >"$work/now" 2>"$work/why"; then
		report 'not ok' "$name"
	elif [[ $(head -c 1 "$work/stdout") == [[{] ]] && ! "$here/check-schema" $events <"$work/stdout" >"$work/why" 2>&1; then
		report 'not ok' "$name fits the schema"
	else
		compare_or_update "$name" "$golden"
	fi
}

list() { local name=$1 tree=$2; shift 2; try "list-$name" "$tree" list-holders "$@"; }

# Only what a dry run says. What this machine hides must not refuse it.
plan() { local name=$1 tree=$2; shift 2; try "plan-$name" "$tree" retire-namespace --dry-run --allow=incomplete,references-unknown "$@"; }

# The same, of regions
region() { local name=$1 tree=$2; shift 2; try "region-$name" "$tree" retire-region --dry-run --allow=incomplete,references-unknown "$@"; }

# Both commands
both() { list "$@"; plan "$@"; }

# The same of daxctl: its names begin with dax-
list_dax() { local name=$1 tree=$2; shift 2; tool=daxctl try "dax-list-$name" "$tree" list-holders "$@"; }
plan_dax()
{
	local name=$1 tree=$2
	shift 2
	tool=daxctl try "dax-plan-$name" "$tree" retire-device --dry-run --allow=incomplete,references-unknown "$@"
}
both_dax() { list_dax "$@"; plan_dax "$@"; }

modes()
{
	both fsdax fsdax namespace0.0
	both sector modes namespace0.0
	both raw modes namespace0.1
	both disabled modes namespace0.2
	both devdax devdax namespace0.0
	both system-ram system-ram namespace0.0
	both ext4 two-regions namespace0.0
	both swap two-regions namespace1.0
}

names()
{
	both several modes namespace0.1 namespace0.0
	both duplicates modes namespace0.1 namespace0.0 namespace0.1
	both all modes all
	both all-two-regions two-regions all
	list all-fsdax fsdax all
	both one-is-bad modes namespace0.1 namespace9.9
	both all-and-name modes all namespace0.1
	both behind-dashes modes -- namespace0.1
	both seed modes namespace0.3
}

filters()
{
	both bus modes -b ndbus0 all
	list bus-number modes --bus=0 all
	list bus-provider modes -b ACPI.NFIT all
	both no-such-bus modes -b ndbus7 all
	list bus-garbage modes -b 0garbage all
	both region two-regions -r region1 all
	list region-number two-regions --region 1 all
	both no-such-region two-regions -r region7 all
	list region-garbage two-regions -r 0garbage all
	both name-on-other-region two-regions -r region1 namespace0.0
	list name-on-region two-regions -r region0 namespace0.0
}

bad_names()
{
	both garbage modes 0garbage
	both nonexistent modes namespace9.9
	both garbage-behind modes namespace0.0x
	both leading-zero modes namespace00.0
	both half-a-name modes namespace0
	both upper-case modes NAMESPACE0.0
	both space modes ' namespace0.0'
	both blockdev fsdax pmem0
	both partition fsdax pmem0p1
	both node fsdax /dev/pmem0
	both instance modes btt0.0
	both chardev devdax dax0.0
	both other-region modes region0
	both bus-name modes ndbus0
	both traversal modes ../region0/namespace0.0
	both path modes /sys/bus/nd/devices/namespace0.0
	both empty modes ''
	both dot-name modes .
	both very-long modes "$(printf 'namespace0.%05000d' 0)"
	both control modes $'namespace0.0\n\e[31mred\a\x7f'
	both not-utf8 modes $'\xff\xfename'
	both format modes '%s%n%d'
}

regions()
{
	region modes modes region0
	region swap two-regions --evict=stop region1
	region in-use two-regions region1
	region both two-regions -e stop region1 region0 region1
	region all two-regions --force all
	region all-on-bus two-regions --bus=ndbus0 -r region1 -u -e stop all
	region devdax devdax region0
	region system-ram system-ram --force region0
	region one-is-bad two-regions region0 region9
	region number modes 0
	region garbage modes 0garbage
	region garbage-behind modes region0x
	region leading-zero modes region00
	region namespace modes namespace0.0
	region blockdev fsdax pmem0
	region path modes /sys/bus/nd/devices/region0
	region on-other two-regions -r region1 region0
	region no-such-bus modes -b ndbus7 all
	region usage-no-name modes
	region help modes --help
	region verbose modes -v region0
	list of-region two-regions region1
	list of-region-and-namespace two-regions namespace1.0 region1 namespace0.0
	list of-region-tree modes --tree region0
	list of-region-dot two-regions --dot region1
}

dax_devices()
{
	both_dax devdax devdax dax0.0
	both_dax system-ram system-ram dax0.0
	list_dax all devdax all
	both_dax duplicates devdax dax0.0 dax0.0
	both_dax none modes all
	list_dax region devdax -r 0 all
	list_dax region-all devdax --region=all all
	both_dax on-node system-ram --node=0
	plan_dax no-unbind system-ram --no-unbind --force -a incomplete dax0.0
	plan_dax no-unbind-devdax devdax --no-unbind --force dax0.0
	list_dax on-another-node system-ram --node=7
	list_dax name-on-another-node system-ram --node=7 dax0.0
	list_dax node-garbage system-ram --node=0x1
	both_dax no-such-region devdax -r 7 all
	list_dax region-garbage devdax -r 0x all
	list_dax region-leading-zero devdax -r 00 all
	both_dax name-on-other-region devdax -r 1 dax0.0
	both_dax nonexistent devdax dax0.1
	both_dax garbage-behind devdax dax0.0x
	list_dax leading-zero devdax dax00.0
	list_dax half-a-name devdax dax0
	list_dax upper-case devdax DAX0.0
	list_dax node devdax /dev/dax0.0
	list_dax path devdax /sys/bus/dax/devices/dax0.0
	list_dax traversal devdax ../dax0.0
	list_dax namespace devdax namespace0.0
	list_dax empty devdax ''
	list_dax control devdax $'dax0.0\n\e[31mred\a\x7f'
	list_dax very-long devdax "$(printf 'dax0.%05000d' 0)"
	both_dax one-is-bad devdax dax0.0 dax9.9
	list_dax all-and-name devdax all dax0.0
	plan_dax force devdax --force dax0.0
	plan_dax system-ram-allowed system-ram --allow=unmovable-zone dax0.0
	plan_dax events system-ram --events dax0.0
	plan_dax each devdax --each all
	list_dax human system-ram -u dax0.0
	list_dax tree devdax --tree all
	list_dax tree-system-ram system-ram --tree -u all
	list_dax dot system-ram --dot all
	list_dax exit-code-idle devdax --exit-code all
	list_dax exit-code-system-ram system-ram --exit-code all
	both_dax usage-no-name devdax
	both_dax usage-bus devdax -b ndbus0 all
	list_dax usage-evict devdax --evict=kill all
	plan_dax usage-evict devdax --evict=everything all
	both_dax help devdax --help
	both_dax list-opts devdax --list-opts
}

# The same of cxl: its names begin with cxl-
list_cxl() { local name=$1 tree=$2; shift 2; tool=cxl try "cxl-list-$name" "$tree" list-holders "$@"; }
plan_region()
{
	local name=$1 tree=$2
	shift 2
	tool=cxl try "cxl-region-$name" "$tree" retire-region --dry-run --allow=incomplete,references-unknown "$@"
}
plan_memdev()
{
	local name=$1 tree=$2
	shift 2
	tool=cxl try "cxl-memdev-$name" "$tree" retire-memdev --dry-run --allow=incomplete,references-unknown "$@"
}

cxl_names()
{
	list_cxl all cxl all
	list_cxl region cxl region0
	list_cxl memdev cxl mem3
	list_cxl both cxl mem0 region1 mem0
	list_cxl pci-address cxl 0000:0e:00.0
	list_cxl serial cxl 0xc0ffee02
	list_cxl serial-decimal cxl 3237998083
	list_cxl number cxl 1
	list_cxl bus cxl -b root0 all
	list_cxl bus-number cxl --bus=0 all
	list_cxl bus-provider cxl -b ACPI.CXL region1
	list_cxl no-such-bus cxl -b root7 all
	list_cxl decoder cxl -d decoder0.0 all
	list_cxl no-such-decoder cxl -d decoder9.0 all
	list_cxl nonexistent cxl region9
	list_cxl leading-zero cxl mem00
	list_cxl garbage-behind cxl region0x
	list_cxl dax cxl dax0.0
	list_cxl traversal cxl ../region0
	list_cxl control cxl $'region0\n\e[31mred\a\x7f'
	list_cxl none modes all
	list_cxl tree cxl --tree all
	list_cxl dot cxl --dot mem1
	list_cxl help cxl --help
	list_cxl list-opts cxl --list-opts
}

cxl_regions()
{
	plan_region ram cxl region0
	plan_region devdax cxl region1
	plan_region pmem cxl region2
	plan_region all cxl all
	plan_region memdev cxl mem0
	plan_region pci-address cxl 0000:0e:00.0
	plan_region on-other cxl -d decoder0.1 region0
	plan_region usage-no-name cxl
	plan_region help cxl --help
}

cxl_memdevs()
{
	plan_memdev ram cxl mem0
	plan_memdev siblings cxl mem1 mem2
	plan_memdev one-of-two cxl mem1
	plan_memdev pmem cxl 0xc0ffee04
	plan_memdev without-driver cxl mem4
	plan_memdev region cxl region0
	plan_memdev all cxl all
	plan_memdev each cxl --each mem0 mem4
	plan_memdev delete cxl --delete mem3
	plan_memdev power-off cxl --delete --power-off mem0
	plan_memdev power-off-without-slot cxl --power-off mem3
	plan_memdev siblings-allowed cxl --allow=interleave-siblings mem1
	plan_memdev help cxl --help
	tool=cxl try cxl-refused-one-of-two cxl retire-memdev -n --power-off mem1
}

cxl_odd()
{
	list_cxl odd-tree cxl-odd --tree all
	plan_region without-driver cxl-odd region0
	plan_region locked cxl-odd region1
	plan_region locked-allowed cxl-odd --allow=locked region1
	plan_region locked-for-good cxl-odd --allow=locked region2
	plan_region burned cxl-odd region3
	plan_region out-of-order cxl-odd region4
	plan_region out-of-order-allowed cxl-odd --allow=decoder-order region4
	plan_region both-in-order cxl-odd region4 region5
	plan_region torn-down cxl-odd region6
	plan_region torn-down-delete cxl-odd --delete region6
	plan_region half-torn-down cxl-odd region7
	plan_memdev several-regions cxl-odd mem4
	list_cxl hmem-tree cxl-hmem --tree all
	plan_memdev hmem cxl-hmem mem0
	plan_memdev hmem-power-off cxl-hmem --power-off mem0
	plan_region hmem cxl-hmem --delete region0
	plan_memdev system-ram cxl-hmem mem2
	plan_dax hmem cxl-hmem dax0.0
	plan_dax hmem-devdax cxl-hmem dax1.0
}

levels()
{
	plan swap-none two-regions --evict=none namespace1.0
	plan swap-stop two-regions --evict=stop namespace1.0
	plan swap-term two-regions -e term namespace1.0
	plan swap-force two-regions --force namespace1.0
	plan all-force two-regions --force all
	plan fsdax-force fsdax --force namespace0.0
	plan fsdax-mounted-unbind fsdax --allow=mounted-unbind namespace0.0
	plan system-ram-everything system-ram --force \
		--allow=references-unknown,mounted-unbind,volatile-mount,shutdown,policy-broken,poison namespace0.0
	# refused whatever this machine hides: what stands is told without it
	try refused-swap two-regions retire-namespace -n namespace1.0
	try refused-all two-regions retire-namespace -n all
	try refused-system-ram system-ram retire-namespace -n -f namespace0.0
}

output()
{
	list human two-regions --human all
	plan human two-regions -u -e stop namespace1.0
	plan quiet modes -q namespace0.1
	plan quiet-refused two-regions -q namespace1.0
	plan verbose modes -v namespace0.1
	list verbose modes --verbose namespace0.1
	list tree two-regions --tree all
	list tree-partition fsdax --tree all
	list tree-modes modes --tree all
	locale=C list tree-ascii fsdax --tree all
	list tree-human two-regions --tree -u all
	columns=40 list tree-narrow two-regions --tree all
	columns=80 list tree-terminal fsdax --tree all
	list tree-system-ram system-ram --tree all
	list tree-error modes --tree namespace9.9
	list dot two-regions --dot all
	list dot-partition fsdax --dot all
	list dot-error modes --dot namespace9.9
	list exit-code-in-use two-regions --exit-code all
	list exit-code-system-ram system-ram --exit-code all
	list exit-code-idle modes --exit-code namespace0.1
	list exit-code-error modes --exit-code namespace9.9
}

events()
{
	plan events modes --events namespace0.1
	plan events-quiet modes --events --quiet namespace0.1
	plan events-names modes --events namespace0.1 namespace0.0
	plan events-refused two-regions --events namespace1.0
	plan events-error modes --events namespace9.9
	plan events-control modes --events $'namespace0.0\n\e[31mred\a\x7f'
}

each()
{
	plan each modes --each namespace0.1 namespace0.0 namespace0.1
	plan each-all modes --each all
	plan each-one modes --each namespace0.1
	plan each-filter two-regions --each -r region1 all
	plan each-bad-and-refused two-regions --each namespace9.9 namespace1.0 namespace0.0
	plan each-nothing modes --each -b ndbus7 all
	plan each-events modes --each --events namespace0.1 namespace9.9
	plan each-human modes --each -u namespace0.1
}

usage()
{
	both usage-no-name modes
	both usage-unknown modes --frobnicate all
	both usage-letter modes -Z all
	both usage-control modes $'--\e[31mred' all
	both usage-value modes --verbose=yes all
	both usage-missing-value modes all --bus
	list usage-evict modes --evict=kill all
	list usage-events modes --events all
	list usage-each modes --each all
	list usage-tree-dot modes --tree --dot all
	plan usage-evict modes --evict=everything all
	plan usage-evict-case modes --evict=KILL all
	plan usage-allow modes --allow=everything all
	plan usage-allow-holder modes --allow=mount all
	plan usage-allow-empty modes --allow= all
	plan usage-allow-gap modes --allow=poison,,shutdown all
	plan usage-grace modes --grace=soon all
	plan usage-grace-negative modes --grace=-1 all
	plan usage-timeout modes --timeout=0 all
	plan usage-timeout-week modes --timeout=604801 all
	plan usage-timeout-huge modes --timeout=99999999999999999999 all
	plan usage-wait modes --wait=1s all
	plan fractions modes --grace=0.5 --timeout=1.25 --wait=0 namespace0.1
	both help modes --help
	both list-opts modes --list-opts
	plan abbreviated modes --verb namespace0.1
}

[[ ! $update ]] || mkdir -p "$here/golden"
modes
names
filters
bad_names
regions
dax_devices
cxl_names
cxl_regions
cxl_memdevs
cxl_odd
levels
output
events
each
usage
for golden in "$here"/golden/*.json; do
	name=${golden##*/}
	name=${name%.json}
	[[ ! ${known[$name]-} && $name =~ $only ]] || continue
	if [[ $update ]]; then
		rm "$golden"
	else
		echo "no run is called $name" >"$work/why"
		report 'not ok' "$name is of a run"
	fi
done
end_report
