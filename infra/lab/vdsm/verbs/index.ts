/** All verbs of a simulated host. */
import { domainVerbs } from './domain.ts';
import { hostVerbs } from './host.ts';
import { poolVerbs } from './pool.ts';
import type { Verb, VerbTable } from './verb.ts';
import { vmVerbs } from './vm.ts';
import { volumeVerbs } from './volume.ts';

const ALL: VerbTable = { ...hostVerbs, ...vmVerbs, ...poolVerbs, ...domainVerbs, ...volumeVerbs };

export function findVerb(method: string): Verb | undefined {
  return Object.hasOwn(ALL, method) ? ALL[method] : undefined;
}
