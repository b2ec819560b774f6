/** What systemd says of units (`systemctl show`). Pure. */

export interface UnitState {
  /** False: systemd knows no such unit. */
  readonly loaded: boolean;
  /** `active`, `activating`, `inactive`, `failed` … */
  readonly active: string;
  /** `enabled`, `disabled`, `masked` …; empty where there is no unit file. */
  readonly file: string;
}

export const OURS = 'bellwether-host.service';
export const THEIRS = ['ovirt-ha-agent.service', 'ovirt-ha-broker.service'] as const;

const ABSENT: UnitState = { loaded: false, active: 'inactive', file: '' };

/** Blocks of `Key=value` lines with a blank line between; what makes no sense is left out. */
export function parseUnits(text: string): ReadonlyMap<string, UnitState> {
  const units = new Map<string, UnitState>();
  for (const block of text.split(/\r?\n(?:\r?\n)+/)) {
    const fields = new Map<string, string>();
    for (const line of block.split(/\r?\n/)) {
      const at = line.indexOf('=');
      if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trim());
    }
    const id = fields.get('Id');
    if (id === undefined || id === '') continue;
    units.set(id, {
      loaded: fields.get('LoadState') === 'loaded' || fields.get('LoadState') === 'masked',
      active: fields.get('ActiveState') ?? 'unknown',
      file: fields.get('UnitFileState') ?? '',
    });
  }
  return units;
}

export interface Services {
  readonly ours: UnitState;
  readonly theirs: readonly UnitState[];
}

export function servicesOf(units: ReadonlyMap<string, UnitState>): Services {
  const of = (name: string) => units.get(name) ?? ABSENT;
  return { ours: of(OURS), theirs: THEIRS.map(of) };
}

/** Runs, or is on its way: a worker waits for VDSM and the storage before it says that it is ready. */
export function runs({ active }: UnitState): boolean {
  return active === 'active' || active === 'activating' || active === 'reloading';
}

export function isEnabled({ file }: UnitState): boolean {
  return file === 'enabled';
}

/** Both kinds as they are when our worker serves the host. */
export function weServe({ ours, theirs }: Services): boolean {
  return runs(ours) && isEnabled(ours) && theirs.every((unit) => !runs(unit) && !isEnabled(unit));
}

export function servicesText({ ours, theirs }: Services): string {
  const word = (name: string, { loaded, active, file }: UnitState) =>
    `${name} ${loaded ? `${active}, ${file === '' ? 'no unit file' : file}` : 'not there'}`;
  return [word(OURS, ours), ...THEIRS.map((name, at) => word(name, theirs[at] ?? ABSENT))]
    .join('; ')
    .replaceAll('.service', '');
}
