/**
 * `bellwether install` without a file of answers: asks, explains, checks each answer at once by the request's own schema, and
 * keeps what was answered, so that it can be broken off and taken up again.
 */
import { createInterface } from 'node:readline';
import { install } from '../../schemas/operations/install.ts';
import { QUESTIONS, WHOLE, at, isTree, type Question, type Tree } from './questions.ts';

export interface Dialogue {
  readonly input: NodeJS.ReadableStream;
  /** Words for the person; the result goes elsewhere. */
  say(text: string): void;
  /** What was answered before. */
  readonly answers: Tree;
  /** After each answer. */
  keep(answers: Tree): void;
}

const YES = new Set(['y', 'yes']);
const NO = new Set(['n', 'no']);

/** What was typed, as the schema wants it; undefined when it is neither yes nor no. */
function valueOf(question: Question, typed: string): unknown {
  if (question.kind === 'yes-no') return YES.has(typed) ? true : NO.has(typed) ? false : undefined;
  if (question.kind === 'list') return typed.split(/[\s,]+/).filter((part) => part !== '');
  return question.kind === 'number' && /^\d+$/.test(typed) ? Number(typed) : typed;
}

function withValue(answers: Tree, [field = '', ...rest]: readonly string[], value: unknown): Tree {
  const inner = answers[field];
  return { ...answers, [field]: rest.length === 0 ? value : withValue(isTree(inner) ? inner : {}, rest, value) };
}

/** Without the field, and without what held nothing else; the same object where it is not there. */
function without(answers: Tree, [field = '', ...rest]: readonly string[]): Tree {
  if (!Object.hasOwn(answers, field)) return answers;
  const { [field]: inner, ...others } = answers;
  if (rest.length === 0) return others;
  const left = isTree(inner) ? without(inner, rest) : inner;
  if (!isTree(left) || left === inner) return answers;
  return Object.keys(left).length === 0 ? others : { ...answers, [field]: left };
}

/** The answers as the request has them: without what only steers the dialogue, with what no question asks for. */
export function answersOf(tree: Tree): Tree {
  let answers: Tree = Object.fromEntries(Object.entries(tree).filter(([field]) => !field.startsWith('?')));
  for (const { path, when } of QUESTIONS) if (when?.(tree) === false) answers = without(answers, path);
  const access = ['host', 'access'];
  if (at(answers, [...access, 'passwordSecret']) !== undefined)
    return withValue(answers, [...access, 'kind'], 'password');
  return at(answers, [...access, 'kind']) === 'password' ? without(answers, access) : answers;
}

const begins = (path: readonly string[], other: readonly string[]) =>
  path.every((field, index) => other[index] === field);

interface Stray {
  readonly path: readonly string[];
  readonly why: string;
}

/** What a person wrote into the file and no question can put right. */
function strayIn(tree: Tree): Stray | undefined {
  const answers = answersOf(tree);
  const result = install.answers.safeParse(answers);
  const strays = (result.error?.issues ?? []).flatMap((issue): Stray[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((field) => ({ path: [...path, field], why: 'there is no such field' }));
    }
    const asked = QUESTIONS.some((question) => begins(question.path, path) || begins(path, question.path));
    return asked || at(answers, path) === undefined ? [] : [{ path, why: issue.message }];
  });
  return strays[0];
}

/** Without what is wrong beyond repair, which is told. An answer can show more of it: fields of another kind, say. */
function withoutStrays(kept: Tree, say: (text: string) => void): Tree {
  let tree = kept;
  for (let stray = strayIn(tree); stray !== undefined; stray = strayIn(tree)) {
    say(`Left out: ${stray.path.join('.')}: ${stray.why}.\n`);
    const next = without(tree, stray.path);
    if (next === tree) break;
    tree = next;
  }
  return tree;
}

/** What was kept, as the dialogue goes on with it. */
function takenUp(kept: Tree, say: (text: string) => void): Tree {
  const tree = withoutStrays(kept, say);
  const steered = Object.keys(tree).some((field) => field.startsWith('?'));
  const whole = !steered && install.answers.safeParse(answersOf(tree)).success;
  return whole ? { ...tree, [WHOLE]: true } : tree;
}

/** What the schema says of one field; what is not answered yet is no mistake. */
export function mistakeIn(tree: Tree, path: readonly string[]): string | undefined {
  const result = install.answers.safeParse(answersOf(tree));
  if (result.success) return undefined;
  return result.error.issues.find(({ path: where }) => begins(path, where.map(String)))?.message;
}

function presetOf({ preset }: Question, tree: Tree): string | undefined {
  return typeof preset === 'function' ? preset(tree) : preset;
}

/** The next question from there on that is to be asked and has no good answer; their number when there is none. */
function openFrom(tree: Tree, from: number): number {
  const open = QUESTIONS.findIndex(
    ({ path, when }, index) =>
      index >= from && (when?.(tree) ?? true) && (at(tree, path) === undefined || mistakeIn(tree, path) !== undefined),
  );
  return open === -1 ? QUESTIONS.length : open;
}

/** An answer that another one made wrong comes first. */
function nextOpen(tree: Tree, from: number): number {
  const wrong = QUESTIONS.findIndex(
    ({ path, when }) => (when?.(tree) ?? true) && at(tree, path) !== undefined && mistakeIn(tree, path) !== undefined,
  );
  if (wrong !== -1) return wrong;
  const next = openFrom(tree, from);
  return next === QUESTIONS.length ? openFrom(tree, 0) : next;
}

function before(tree: Tree, index: number): number {
  for (let other = index - 1; other >= 0; other -= 1) if (QUESTIONS[other]?.when?.(tree) ?? true) return other;
  return index;
}

const HELP =
  'Enter takes what stands in brackets, ? explains, < goes back to the question before, Ctrl-D keeps all and ends.';

const shown = (value: unknown) =>
  value === true ? 'yes' : value === false ? 'no' : Array.isArray(value) ? value.join(', ') : String(value);

/** The answers with this one, or why it is none. */
function answered(question: Question, tree: Tree, typed: string): Tree | string {
  const kept = at(tree, question.path);
  const given = typed === '' ? (kept === undefined ? presetOf(question, tree) : shown(kept)) : typed;
  if (given === undefined) return 'an answer is needed';
  const value = valueOf(question, given);
  if (value === undefined) return 'yes or no';
  const next = withValue(tree, question.path, value);
  return mistakeIn(next, question.path) ?? next;
}

function promptOf(question: Question, tree: Tree): string {
  const kept = at(tree, question.path);
  const mistake = kept === undefined ? undefined : mistakeIn(tree, question.path);
  const preset = kept === undefined ? presetOf(question, tree) : shown(kept);
  const why = mistake === undefined ? '' : `  not good: ${mistake}\n`;
  const choice = question.kind === 'yes-no' ? ' (yes/no)' : '';
  return `${why}${question.ask}${choice}${preset === undefined ? '' : ` [${preset}]`}: `;
}

/**
 * Asks what is not answered yet.
 * @returns the answers, complete and accepted by the schema; undefined when the input ended before.
 */
export async function askInstall({ input, say, answers, keep }: Dialogue): Promise<Tree | undefined> {
  let tree = takenUp(answers, say);
  let index = openFrom(tree, 0);
  if (index > 0) say('Going on with the answers of before.\n');
  say(`${HELP}\n`);
  let question = QUESTIONS[index];
  if (question === undefined) return answersOf(tree);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    say(promptOf(question, tree));
    for await (const line of lines) {
      const typed = line.trim();
      const next = typed === '?' || typed === '<' ? tree : answered(question, tree, typed);
      if (typed === '?') say(`  ${question.explain}\n`);
      else if (typed === '<') index = before(tree, index);
      else if (typeof next === 'string') say(`  not taken: ${next}\n`);
      else {
        tree = withoutStrays(next, say);
        keep(tree);
        index = nextOpen(tree, index + 1);
      }
      question = QUESTIONS[index];
      if (question === undefined) return answersOf(tree);
      say(promptOf(question, tree));
    }
    return undefined;
  } finally {
    lines.close();
  }
}
