#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Under a family name, what is not ours goes to the next program of that name:
# never to ourselves, and as root never to what somebody else could have put there.
#
# handoff.sh PROGRAM: prints TAP; exit 0 when everything is ok.
set -u
program=$(realpath "${1:?usage: handoff.sh PROGRAM}")
count=0
failed=0

# Below a directory that only root may write, so that root is let through; /run can be noexec.
for base in /run /var/lib "${TMPDIR:-/tmp}"; do
	work=$(mktemp -d "$base/dax-retire-test.XXXXXX" 2>/dev/null) || continue
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	install -m 755 /dev/stdin "$work/try" <<<'#!/bin/sh'
	"$work/try" 2>/dev/null && break
	rm -rf "$work"
done
[ -d "$work" ] || exit 99
rm "$work/try"

check() { # NAME COMMAND...
	local name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		sed 's/^/#   /' "$work/out" "$work/err" 2>/dev/null
	fi
}

skip() { # NAME REASON
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# Runs with a PATH of only our own directories; what it said is in out, err, rc.
run() { # PATH COMMAND...
	local path=$1
	shift
	LC_ALL=C timeout 20 env PATH="$path" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
}

says() { # FILE TEXT
	grep -qF -- "$2" "$work/$1"
}

# A program that tells how it was called.
fake() { # FILE
	mkdir -p "$(dirname "$1")"
	cat >"$1" <<-'FAKE'
		#!/bin/sh
		case $1 in
		--list-cmds) printf 'list\nretire-namespace\nfake-command\n'; exit 0 ;;
		--help) echo 'usage of the fake'; exit 0 ;;
		--version) echo 99.9; exit 0 ;;
		esac
		echo "fake $0"
		for word; do echo "<$word>"; done
		exit 7
	FAKE
	chmod 755 "$1"
}

mkdir "$work/ours" "$work/empty" "$work/links" "$work/hard"
ln -s "$program" "$work/ours/ndctl"
ln -s "$program" "$work/ours/daxctl"
fake "$work/next/ndctl"
both=$work/ours:$work/next:/usr/bin:/bin

run "$both" ndctl list -B 'two words' ''
check "an unknown command is handed on with its exit code" test "$rc" = 7
check "its arguments are unchanged" \
	test "$(sed 1d "$work/out" | tr '\n' ' ')" = '<list> <-B> <two words> <> '
run "$both" "$program" ndctl list
check "so it is under the program's own name" says out '<list>'
run "$both" ndctl --version
check "the version is the one of the family" test "$(cat "$work/out")" = 99.9

ln -s ../ours/ndctl "$work/links/ndctl"
run "$work/links:$work/ours:$work/next:/usr/bin:/bin" ndctl list
check "a link that leads back to us is passed over" says out "fake $work/next/ndctl"
if ln "$program" "$work/hard/ndctl" 2>/dev/null; then
	run "$work/hard:$work/next:/usr/bin:/bin" "$work/ours/ndctl" list
	check "a hard link to us is passed over" says out "fake $work/next/ndctl"
else
	skip "a hard link to us is passed over" "another file system"
fi

mkdir "$work/directory" "$work/directory/ndctl" "$work/plain"
echo data >"$work/plain/ndctl"
run "$work/ours:$work/directory:$work/plain:$work/next:/usr/bin:/bin" ndctl list
check "what cannot be executed is passed over" says out "fake $work/next/ndctl"

run "$work/ours:$work/empty" "$work/ours/ndctl" list
check "nobody to hand on to is exit 1" test "$rc" = 1
check "the error names the command" says err "'list'"
check "the error names the package" says err "package ndctl"
check "nothing is on stdout" test ! -s "$work/out"
(cd "$work/next" && run ":.:$work/ours" "$work/ours/ndctl" list; exit "$rc")
check "the current directory is no place for programs" test $? = 1

mkdir "$work/wrapper"
printf '#!/bin/sh\nexec "%s" ndctl "$@"\n' "$program" >"$work/wrapper/ndctl"
chmod 755 "$work/wrapper/ndctl"
run "$work/wrapper:/usr/bin:/bin" ndctl list
check "a wrapper that calls us again ends" test "$rc" = 1
check "and is named as such" says err "again and again"

run "$both" ndctl --list-cmds
check "the list of commands has ours" grep -qx list-holders "$work/out"
check "and the next program's" grep -qx fake-command "$work/out"
check "each once" test "$(grep -cx retire-namespace "$work/out")" = 1
run "$both" ndctl --help
check "help is the next program's" says out 'usage of the fake'
check "and ours" says out list-holders
run "$work/ours:$work/empty" "$work/ours/ndctl" --help
check "help works alone" test "$rc" = 0

mkdir "$work/slow"
printf '#!/bin/sh\necho early\nexec /bin/sleep 100\n' >"$work/slow/ndctl"
chmod 755 "$work/slow/ndctl"
run "$work/ours:$work/slow" "$work/ours/ndctl" --list-cmds
check "a next program that hangs is not waited for" test "$rc" = 0
check "what it said before counts" says out early
printf '#!/bin/sh\nexec /usr/bin/yes\n' >"$work/slow/ndctl"
run "$work/ours:$work/slow" "$work/ours/ndctl" --list-cmds
check "one that never ends is cut" test "$rc" = 0 -a "$(wc -c <"$work/out")" -lt 70000

run "$both" ndctl retire-namespace --list-opts
check "the options are in one line" test "$(wc -l <"$work/out")" = 1
check "long ones, as the family prints them" says out "--dry-run --evict "
run "$both" ndctl retire-namespace --help
check "help of a command is on stdout" test "$rc" = 0 -a -s "$work/out" -a ! -s "$work/err"
run "$both" ndctl retire-namespace
check "a missing name is a usage error" test "$rc" = 129
check "with nothing on stdout" test ! -s "$work/out"

run "$both" daxctl list
check "another tool of the family has its own next program" test "$(grep -c fake "$work/out")" = 0

if [ "$(id -u)" = 0 ]; then
	fake "$work/open/ndctl"
	chmod 777 "$work/open"
	run "$work/ours:$work/open" "$work/ours/ndctl" list
	check "root: a directory that others may write is refused" test "$rc" = 1
	check "and named" says err "others than root may write $work/open"
	chmod 755 "$work/open"
	chmod 775 "$work/open/ndctl"
	run "$work/ours:$work/open" "$work/ours/ndctl" list
	check "root: a file that its group may write is refused" test "$rc" = 1
	chmod 755 "$work/open/ndctl"
	chown 65534 "$work/open/ndctl"
	run "$work/ours:$work/open" "$work/ours/ndctl" list
	check "root: a file of somebody else is refused" test "$rc" = 1
	mkdir -p "$work/loose/inner"
	ln -s "$work/next/ndctl" "$work/loose/inner/ndctl"
	chmod 777 "$work/loose"
	run "$work/ours:$work/loose/inner" "$work/ours/ndctl" list
	check "root: a link in a place that others may write is refused" test "$rc" = 1
	run "$work/ours:$work/loose/inner:$work/next:/usr/bin:/bin" ndctl list
	check "root: a good program behind a refused one is taken" says out "fake $work/next/ndctl"
	ln -s "$work/loose" "$work/through"
	mkdir "$work/good"
	ln -s ../through/inner/ndctl "$work/good/ndctl"
	run "$work/ours:$work/good" "$work/ours/ndctl" list
	check "root: links are followed, and every directory counts" test "$rc" = 1
	ln -sf ../next/ndctl "$work/good/ndctl"
	run "$work/ours:$work/good:/usr/bin:/bin" ndctl list
	check "root: a link between good directories is fine" says out "<list>"
	ln -sf loop "$work/good/loop"
	ln -sf loop "$work/good/ndctl"
	run "$work/ours:$work/good" "$work/ours/ndctl" list
	check "root: a circle of links ends" test "$rc" = 1
else
	skip "what root refuses" "needs root"
fi

echo "1..$count"
[ "$failed" = 0 ]
