/** How the unit runs the worker, for whoever measures or tests it. */
import { readFileSync } from 'node:fs';

export interface UnitCommand {
  /** `NAME=value` */
  readonly environment: readonly string[];
  /** Node's own, before the program. */
  readonly flags: readonly string[];
}

/** @throws Error when the unit does not run Node */
export function unitCommand(): UnitCommand {
  const unit = readFileSync(new URL('bellwether-host.service', import.meta.url), 'utf8');
  const [, words] = /^ExecStart=\/usr\/bin\/node ((?:--\S+ )*)\//m.exec(unit) ?? [];
  if (words === undefined) throw new Error('the unit’s ExecStart runs no Node');
  const environment = [...unit.matchAll(/^Environment=(.+)$/gm)].flatMap(([, each = '']) => each.split(' '));
  return { environment, flags: words.split(' ').filter((word) => word !== '') };
}
