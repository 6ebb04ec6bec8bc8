import type { Command } from 'commander'
import { CommandError } from './exit_codes.ts'

/** What may follow a line of commands: further commands and options, by what was typed ("clients list"). */
type Follows = ReadonlyMap<string, readonly string[]>

const SHELLS = { bash: writeBash, zsh: writeZsh, fish: writeFish } as const

/** `completion bash|zsh|fish`: what the shell reads at its start, so that it completes commands and options. */
export function writeCompletion(program: Command, shell: string): string {
  if (!Object.hasOwn(SHELLS, shell)) throw new CommandError(`There is no completion for ${shell}: bash, zsh or fish`)
  return SHELLS[shell as keyof typeof SHELLS](listFollows(program))
}

function listFollows(program: Command): Follows {
  const follows = new Map<string, string[]>()
  const walk = (command: Command, line: string) => {
    const options = command.options.flatMap(({ long }) => long ?? [])
    follows.set(line, [...command.commands.map((one) => one.name()), ...options, '--help'])
    for (const one of command.commands) walk(one, `${line} ${one.name()}`.trim())
  }
  walk(program, '')
  return follows
}

// All names are of letters, digits, _ and -, so that nothing has to be quoted.
const cases = (follows: Follows) =>
  [...follows].map(([line, words]) => `    '${line}') words='${words.join(' ')}' ;;\n`).join('')

function writeWords(follows: Follows): string {
  return `_sallyport_words() {
  local words=''
  case "$1" in
${cases(follows)}  esac
  printf '%s' "$words"
}
`
}

function writeBash(follows: Follows): string {
  return `# sallyport completion bash: source it, or keep it in ~/.local/share/bash-completion/completions/sallyport
${writeWords(follows)}_sallyport() {
  local line='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) continue ;;
    esac
    local longer="\${line:+$line }$word"
    if [ -n "$(_sallyport_words "$longer")" ]; then line="$longer"; fi
  done
  COMPREPLY=($(compgen -W "$(_sallyport_words "$line")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sallyport sallyport
`
}

function writeZsh(follows: Follows): string {
  return `#compdef sallyport
# sallyport completion zsh: keep it as _sallyport in a folder of $fpath
${writeWords(follows)}_sallyport() {
  local line='' word longer
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    [[ "$word" == -* ]] && continue
    longer="\${line:+$line }$word"
    [[ -n "$(_sallyport_words "$longer")" ]] && line="$longer"
  done
  compadd -- \${=$(_sallyport_words "$line")}
}
compdef _sallyport sallyport
`
}

function writeFish(follows: Follows): string {
  const lines = [...follows].map(([line, words]) => `    case '${line}'\n      string split ' ' '${words.join(' ')}'\n`)
  return `# sallyport completion fish: keep it as ~/.config/fish/completions/sallyport.fish
function __sallyport_words
  switch "$argv[1]"
${lines.join('')}  end
end
function __sallyport_complete
  set -l line ''
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; and continue
    set -l longer (string trim "$line $word")
    test -n "$(__sallyport_words $longer)"; and set line $longer
  end
  __sallyport_words $line
end
complete -c sallyport -f -a '(__sallyport_complete)'
`
}
