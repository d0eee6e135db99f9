# SPDX-License-Identifier: GPL-2.0
# usage: zsh -f complete.zsh DIRECTORY LINE
# What zsh offers at the end of LINE, one a line, with the completion functions of DIRECTORY and
# the command of PATH. A shell on a terminal of its own does it, with a compadd that prints.
zmodload zsh/zpty || exit 4
dir=$1 line=$2
setup=$(mktemp)
trap 'rm -f $setup' EXIT
cat >$setup <<'SETUP'
PROMPT=
autoload -Uz compinit
compinit -u -D
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
mark() { print -r - '<<mark>>' }
compprefuncs=(mark)
comppostfuncs=(mark exit)
compadd()
{
	local -a hits
	local hit

	# Asked by another function what there would be.
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A hits "$@"
	for hit in $hits; do
		print -r - $IPREFIX$hit
	done
	builtin compadd "$@"
}
SETUP
zpty -b pty zsh -f -i
zpty -w pty "fpath=(${(q)dir} \$fpath); source ${(q)setup}; print -r - '<<'ready'>>'"
zpty -r pty out '*<<ready>>*' || exit 1
zpty -wn pty "$line"$'\t'
integer marks=0 tries=0
out=''
while ((marks < 2 && tries++ < 300)); do
	if zpty -r -t pty part; then
		out+=$part
		marks=$(grep -c '<<mark>>' <<<$out)
	else
		sleep 0.1
	fi
done
zpty -d pty
((marks >= 2)) || { print -u2 -r - "no answer: $out"; exit 1; }
print -r - $out | tr -d '\r' | sed -n '/<<mark>>/,/<<mark>>/p' | grep -v '<<mark>>' | sort -u
