export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * What a shell sources. Each asks `weir complete -- WORDS`, the last word empty or begun, which answers a line for each suggestion: the
 * word, a tab, and what it is; and `:files` where file names may come as well.
 */
export const shellScripts: Record<Shell, string> = {
  bash: `# weir in bash: source <(weir completion bash), as in ~/.bashrc
_weir() {
  local word
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    if [[ $word == :files ]]; then compopt -o default; else COMPREPLY+=("$word"); fi
  done < <(weir complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _weir weir`,

  zsh: `#compdef weir
# weir in zsh: source <(weir completion zsh), as in ~/.zshrc behind compinit
_weir() {
  local line files
  local -a items
  for line in "\${(@f)$(weir complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then files=yes
    elif [[ -n $line ]]; then items+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#items )) && _describe -V weir items
  [[ -z $files ]] || _files
}
if [[ $funcstack[1] == _weir ]]; then _weir "$@"; else compdef _weir weir; fi`,

  fish: `# weir in fish: weir completion fish | source, as in ~/.config/fish/config.fish
function __weir_suggestions
  set -l words (commandline -opc) (commandline -ct)
  weir complete -- $words[2..-1] 2>/dev/null
end
complete -c weir -f
complete -c weir -a '(__weir_suggestions | string match -v ":files")'
complete -c weir -F -n '__weir_suggestions | string match -q ":files"'`,
};
