/** How many host failures a hosted engine can take now, and why not more. Pure: for the host worker's screens and for ours. */

export interface RuleHost {
  readonly hasEngine: boolean;
  /** Empty: it could start the engine VM now (or go on running it). */
  readonly cannotRun: string;
}

/** Hosts that could take the engine VM over now. */
export function sparesOf<H extends RuleHost>(hosts: readonly H[]): readonly H[] {
  return hosts.filter((host) => !host.hasEngine && host.cannotRun === '');
}

/**
 * The engine's host may be the one that fails, so every failure costs one spare at worst: as many failures as there are
 * spares, one fewer while the engine runs nowhere. Storage that fails for all hosts is no host failure and not counted.
 */
export function bearableFailures(hosts: readonly RuleHost[]): number {
  const spares = sparesOf(hosts).length;
  return Math.max(0, hosts.some((host) => host.hasEngine) ? spares : spares - 1);
}

/** Whole sentences. */
export function whyNotMore(
  hosts: readonly (RuleHost & { readonly label: string })[],
  failures: number,
): readonly string[] {
  const spares = sparesOf(hosts);
  const names = listed(spares.map((host) => host.label));
  const running = hosts.some((host) => host.hasEngine);
  const able = running ? 'could take the engine over now' : 'could start the engine now';
  const could =
    spares.length === 0
      ? `No ${running ? 'other ' : ''}host ${able}.`
      : `${spares.length} ${spares.length === 1 ? 'host' : 'hosts'} ${able}: ${names}.`;
  const next = failures === 0 ? 'one failure' : `${failures + 1} failures`;
  const limit = `After ${next} there may be none left${running ? '' : ', and the engine does not even run now'}.`;
  const cannot = hosts
    .filter((host) => !host.hasEngine && host.cannotRun !== '')
    .map((host) => `${host.label} could not: ${host.cannotRun}.`);
  return [could, limit, ...cannot];
}

export function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
