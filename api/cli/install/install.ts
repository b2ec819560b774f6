/** `bellwether install`: from a file of answers, or by asking for them. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CliError, EXIT, failure, type ExitCode } from '../exit.ts';
import type { Done } from '../operations.ts';
import type { CliRun } from '../run.ts';
import { readInput, submit, submitOptions, type SubmitOptions } from '../submit.ts';
import { answersOf, askInstall } from './dialogue.ts';
import { isTree, type Tree } from './questions.ts';

interface InstallOptions extends SubmitOptions {
  readonly answers?: string;
  readonly save?: string;
}

function jsonOf(file: string, text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, failure(`reading ${file}`, `it is not JSON: ${why}`, `cat ${file}`));
  }
}

/** What an earlier dialogue kept. */
function keptIn(file: string): Tree {
  if (!existsSync(file)) return {};
  const kept = jsonOf(file, readFileSync(file, 'utf8'));
  if (isTree(kept)) return kept;
  throw new CliError(EXIT.usage, failure(`reading ${file}`, 'it holds no answers', `mv ${file} ${file}.old`));
}

/** Whole or not at all: a broken-off write must not cost the answers. */
function keep(file: string, answers: Tree): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(answers, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function guided(run: CliRun, options: InstallOptions): Promise<ExitCode> {
  const file = options.save ?? `install-${options.cluster}.json`;
  const draft = `${file}.draft`;
  const answers = await askInstall({
    input: run.stdin,
    say: (text) => run.prompt(text),
    answers: { ...keptIn(file), ...keptIn(draft) },
    keep: (tree) => keep(draft, tree),
  });
  if (answers === undefined) {
    run.say('');
    run.say(`not complete; what was answered is in ${draft}. Go on with the same command.`);
    return EXIT.usage;
  }
  keep(file, answersOf(answers));
  // Else it would win over what a person changes in the file.
  rmSync(draft, { force: true });
  run.say(`complete: ${file}. Nothing was started yet. Look at it, then start:`);
  run.say(`npx bellwether install --cluster ${options.cluster} --answers ${file} --watch`);
  return EXIT.done;
}

export function installCommand(program: Command, run: CliRun, done: Done): void {
  submitOptions(program.command('install').description('install a hosted engine from one host and a storage address'))
    .option('--answers <file>', 'answers as JSON (InstallAnswers in /openapi.json); without it they are asked for')
    .option('--save <file>', 'where the answers given are kept (default: install-<cluster>.json)')
    .action(async (options: InstallOptions) => {
      if (options.answers === undefined) return done(await guided(run, options));
      const answers = jsonOf(options.answers, await readInput(options.answers));
      done(await submit(run, options, { operation: 'install', answers }));
    });
}
