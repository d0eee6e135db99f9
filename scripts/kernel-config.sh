# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Configurations of kernels, as fragments of options. Sourced after common.sh.

# config_fragments NAME: what the kernel of vmtest/NAME.config is configured with: base.config, the one
# that it is to have besides if it says so, and itself.
config_fragments()
{
	local config=$TOP/vmtest/$1.config

	printf '%s\n' "$TOP/vmtest/base.config"
	sed -nE "s,^# With: ([a-z]+\.config)\$,$TOP/vmtest/\1,p" "$config"
	printf '%s\n' "$config"
}

# config_merge BASE OTHER...: of all fragments what they say, where each overrules those before it.
config_merge()
{
	awk 'function option(line) { return match(line, /CONFIG_[A-Z0-9_]+/) &&
			line ~ /^(# )?CONFIG_/ ? substr(line, RSTART, RLENGTH) : "" }
		{ lines[NR] = $0; of[NR] = option($0); file[NR] = FILENAME; last[of[NR]] = FILENAME }
		END { for (i = 1; i <= NR; i++)
			if (of[i] == "" || file[i] == last[of[i]])
				print lines[i] }' "$@"
}

# config_apply DIR NAMES FRAGMENT...: configures the build in DIR. An option that Kconfig does not know or
# cannot give would be lost without a word; NAMES says whose it is.
config_apply()
{
	local dir=$1 names=$2 line lost=''
	shift 2

	config_merge "$@" >"$dir/.carom.config"
	quietly make -C "$dir" KCONFIG_ALLCONFIG=.carom.config allnoconfig ||
		die "cannot configure $dir (output above)"
	while read -r line; do
		[[ $line != CONFIG_* ]] || grep -qxF "$line" "$dir/.config" || lost+=" $line"
	done <"$dir/.carom.config"
	[[ -z $lost ]] || die "$names ask for what cannot be had:$lost"
}
