#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: install.sh SOURCE
#
# Installs SOURCE for a prefix of its own and for /usr, below a directory of
# ours, and looks at what is there: a distribution's ndctl, daxctl and cxl are
# never in the way, and nothing is missing. Prints TAP.

set -uo pipefail

source=$(realpath -e "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}") || exit 99
count=0
failed=0

command -v meson >/dev/null || { echo "1..0 # SKIP needs meson"; exit 0; }
# Root is let through to the next program only where nobody else may write; /run can be noexec.
for base in /run /var/lib "${TMPDIR:-/tmp}"; do
	work=$(mktemp -d "$base/dax-retire-install.XXXXXX" 2>/dev/null) || continue
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	install -m 755 /dev/stdin "$work/try" <<<'#!/bin/sh'
	"$work/try" 2>/dev/null && break
	rm -rf "$work"
done
[[ -d $work ]] || { echo "1..0 # SKIP nowhere to run programs from"; exit 0; }
unset DESTDIR

check() # NAME COMMAND...
{
	local name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
	fi
}

skip() # NAME REASON
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# install_as NAME OPTION...: builds with the options of meson, installs below $work/NAME
install_as()
{
	local name=$1 configure=(configure "$work/build")
	shift
	[[ -d $work/build ]] || configure=(setup "$work/build" "$source")
	{
		meson "${configure[@]}" "$@" &&
			ninja -C "$work/build" &&
			meson install -C "$work/build" --destdir "$work/$name"
	} >"$work/log" 2>&1 && return
	sed 's/^/# /' "$work/log"
	echo "Bail out! cannot install with $*"
	exit 1
}

is_link_to_us()
{
	[[ -L $1 && $(readlink "$1") == dax-retire ]]
}

has_no_family_names()
{
	local name
	for name in ndctl daxctl cxl; do
		[[ ! -e $1/$name && ! -L $1/$name ]] || return
	done
}

# Who else than us has a file in there
only_ours()
{
	local other
	other=$(cd "$1" && find . ! -type d ! -name '*dax-retire*' ! -name 'ndctl-*.1*' ! -name 'daxctl-*.1*' ! -name 'cxl-*.1*' \
		! -name ndctl ! -name daxctl ! -name cxl)
	[[ -z $other ]] || { sed 's/^/# not ours: /' <<<"$other"; false; }
}

# all that is below the directory: a unit or a rule of ours
services_of() # DIRECTORY
{
	find "$1" -name '*.service' -o -name '*.rules'
}

# systemd wants the program to be there
unit_is_good() # UNIT PROGRAM
{
	grep -qx "ExecStart=$2 ndctl recover" "$1" || return
	command -v systemd-analyze >/dev/null || return 0
	mkdir -p "$work/unit"
	sed "s|^ExecStart=$2|ExecStart=$bin/dax-retire|" "$1" >"$work/unit/${1##*/}"
	systemd-analyze verify --man=no "$work/unit/${1##*/}" 2>&1 | sed 's/^/# /'
	return "${PIPESTATUS[0]}"
}

list_of() # PROGRAM PATH
{
	timeout 20 env PATH="$2" "$1" --list-cmds 2>/dev/null
}

install_as own --prefix=/usr/local -Dtests=false
top=$work/own/usr/local
bin=$top/bin
check "the program is installed" test -x "$bin/dax-retire"
check "it runs from there" test "$("$bin/dax-retire" --version)" = \
	"$(meson introspect --projectinfo "$work/build" | sed -n 's/.*"version": *"\([^"]*\)".*/\1/p')"
for name in ndctl daxctl cxl; do
	check "/usr/local: $name is a link to it" is_link_to_us "$bin/$name"
done
check "the schema is installed" test -s "$top/share/dax-retire/dax-retire-1.schema.json"
completions=$top/share/bash-completion/completions
check "the completion is installed" test -s "$completions/dax-retire"
check "bash can read it" bash -n "$completions/dax-retire"
check "nothing else is installed" only_ours "$top"
check "no unit and no rule is installed unasked" test -z "$(services_of "$work/own")"

if command -v asciidoctor >/dev/null; then
	# each command of each table has its page
	check "man: dax-retire(1)" test -s "$top/share/man/man1/dax-retire.1"
	for tool in ndctl daxctl cxl; do
		for command in $(list_of "$bin/$tool" /nonexistent); do
			page=$tool-$command.1
			check "man: ${page%.1}(1)" test -s "$top/share/man/man1/$page"
			check "man: ${page%.1}(1) has every option" bash -c '
				for option in $("$1" "$2" --list-opts); do
					sed "s/\\\\-/-/g" "$3" | grep -qF -e "$option" || { echo "# not there: $option"; exit 1; }
				done' - "$bin/$tool" "$command" "$top/share/man/man1/$page"
		done
	done
else
	skip "man pages" "needs asciidoctor"
fi

next=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v ndctl)
if [[ $next && ! $(readlink -f "$next") -ef $bin/dax-retire ]]; then
	list_of "$bin/ndctl" "$bin:/usr/sbin:/usr/bin:/sbin:/bin" >"$work/both"
	check "ndctl --list-cmds has ours" grep -qx retire-namespace "$work/both"
	check "and all of the real one's" bash -c 'comm -13 <(sort "$1") <("$2" --list-cmds | sort) | grep . && exit 1 || exit 0' \
		- "$work/both" "$next"
	check "each once" test -z "$(sort "$work/both" | uniq -d)"
	check "ndctl --version is the real one's" test "$(PATH=$bin:/usr/bin:/bin ndctl --version)" = "$("$next" --version)"
else
	skip "what the real ndctl has" "there is none here"
fi

install_as distribution --prefix=/usr
top=$work/distribution/usr
check "/usr: the program is installed" test -x "$top/bin/dax-retire"
check "/usr: no ndctl, daxctl or cxl" has_no_family_names "$top/bin"
check "/usr: all commands work by its own name" bash -c '"$1" ndctl retire-namespace --list-opts | grep -q -e --dry-run' \
	- "$top/bin/dax-retire"
check "/usr: nothing else is installed" only_ours "$top"

for what in systemd:systemdsystemunitdir:/dax-retire-recover.service udev:udevdir:/rules.d/90-dax-retire.rules; do
	IFS=: read -r package variable file <<<"$what"
	if pkg-config --exists systemd "$package" 2>/dev/null; then
		file=$(pkg-config --variable="$variable" "$package")$file
		check "/usr: ${file##*/} is where $package looks" test -s "$work/distribution$file"
	else
		skip "/usr: where ${file##*/} is" "needs the pkg-config files of systemd and udev"
	fi
done

install_as option -Dfamily-names=enabled -Dsystemdsystemunitdir=/etc/units -Dudevrulesdir=/etc/rules
check "/usr: the names can be asked for" is_link_to_us "$work/option/usr/bin/ndctl"
check "the unit goes where it is asked for, and is a good one" \
	unit_is_good "$work/option/etc/units/dax-retire-recover.service" /usr/bin/dax-retire
check "the rule goes where it is asked for" test -s "$work/option/etc/rules/90-dax-retire.rules"

install_as neither -Dsystemdsystemunitdir=no -Dudevrulesdir=no
check "no means none" test -z "$(services_of "$work/neither")"

echo "1..$count"
[[ $failed == 0 ]]
