/** `bellwether completion`: a script for the shell, made of the commands themselves. */
import { Argument, type Command } from 'commander';
import { EXIT } from './exit.ts';
import type { Done } from './operations.ts';
import type { CliRun } from './run.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** A command by its words after the program's name, and what may come next. */
interface Place {
  readonly words: string;
  readonly next: readonly string[];
}

function placesOf(command: Command, words: readonly string[] = []): Place[] {
  const inner = command.commands.flatMap((one) => placesOf(one, [...words, one.name()]));
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const options = command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]));
  const next = [...command.commands.map((one) => one.name()), ...choices, ...options, '--help'];
  return [{ words: words.join(' '), next }, ...inner];
}

/** Words that are no options make the place; bash and zsh run the same function. */
function bash(places: readonly Place[]): string[] {
  return [
    '_bellwether() {',
    '  local place="" word i next',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word="${COMP_WORDS[i]}"',
    '    case "$word" in -*) continue ;; esac',
    '    case "$place${place:+ }$word" in',
    ...places.filter(({ words }) => words !== '').map(({ words }) => `      '${words}') place='${words}' ;;`),
    '    esac',
    '  done',
    '  case "$place" in',
    ...places.map(({ words, next }) => `    '${words}') next='${next.join(' ')}' ;;`),
    '  esac',
    '  COMPREPLY=($(compgen -W "$next" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -F _bellwether bellwether',
  ];
}

function fish(places: readonly Place[]): string[] {
  return places.flatMap(({ words, next }) => {
    const seen = words === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${words.split(' ').at(-1)}`;
    return next.map((word) =>
      word.startsWith('--')
        ? `complete -c bellwether -n '${seen}' -l ${word.slice(2)}`
        : `complete -c bellwether -f -n '${seen}' -a ${word}`,
    );
  });
}

export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program);
  if (shell === 'fish') return fish(places).join('\n');
  const zsh = ['autoload -Uz compinit bashcompinit', 'compinit', 'bashcompinit'];
  return [...(shell === 'zsh' ? zsh : []), ...bash(places)].join('\n');
}

export function completionCommand(program: Command, run: CliRun, done: Done): void {
  program
    .command('completion')
    .description('completion for your shell, e.g. in ~/.bashrc: source <(npx bellwether completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      run.out(completionScript(program, shell));
      done(EXIT.done);
    });
}
