/**
 * The rules, in order: the first that matches decides. The table in README.md is made from this list.
 *
 * A rule reads one situation and names what it saw. None reads a clock, none does I/O, none keeps anything.
 */
import { guards } from './guards.ts';
import { hosting } from './hosting.ts';
import { standby } from './standby.ts';
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [...guards, ...hosting, ...standby];
