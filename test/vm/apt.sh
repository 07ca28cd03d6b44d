# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A private apt: other suites of the mirror this machine uses already, with
# lists and caches in a directory of their own. The machine's sources, lists
# and pins stay as they are. Sourced, not run.

# apt_mirror: the URI of the main Debian archive as this machine has it
apt_mirror()
{
	local codename uri
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# Origin and codename are known only once lists were fetched; the
	# suite's name as written in the sources is known always.
	uri=$(apt-get indextargets --format \
		'$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(ORIGIN)' 'Created-By: Packages' |
		awk -F'|' -v c="$codename" '
			$4 == "main" && ($2 == c || $3 == c) {
				if ($5 == "Debian") { print $1; found = 1; exit }
				if (other == "") other = $1
			}
			END { if (!found && other != "") print other }')
	if [[ -z $uri ]]; then
		echo "${0##*/}: apt knows no archive with '${codename:-?} main' on this machine; see apt's sources.list(5)" >&2
		return 1
	fi
	echo "$uri"
}

# apt_private_setup DIR SUITE...: fills APT_PRIVATE with the options, fetches the lists into DIR
apt_private_setup()
{
	local dir=$1 mirror suite keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=
	shift
	mirror=$(apt_mirror) || return
	[[ -e $keyring ]] && signed="[signed-by=$keyring] "
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none"
	for suite; do
		echo "deb $signed$mirror $suite main"
	done >"$dir/sources.list"
	APT_PRIVATE=(
		-q -o "Dir::State::Lists=$dir/lists"
		-o "Dir::Etc::SourceList=$dir/sources.list"
		-o "Dir::Etc::SourceParts=$dir/none"
		-o Dir::Etc::Preferences=/dev/null
		-o "Dir::Etc::PreferencesParts=$dir/none"
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
		-o "Dir::Cache::Archives=$dir/archives"
		# DIR may be where apt's own user may not look
		-o APT::Sandbox::User= -o Acquire::Retries=5 -o Acquire::Languages=none
	)
	apt_retry apt-get "${APT_PRIVATE[@]}" -o APT::Update::Error-Mode=any update
}

# apt_retry COMMAND...: quietly, three times at most; a failing try shows what it said
apt_retry()
{
	local try out
	for try in 1 2 3; do
		out=$("$@" 2>&1 </dev/null) && return
		printf '%s\n' "$out" >&2
		((try == 3)) || sleep $((try * 3))
	done
	return 1
}
