/** systemd of one simulated machine: the three units that matter for hosted engine, and what starting one means. */

/** A service of the machine. Both calls may come in any order and any number. */
export interface Service {
  /** False: its unit file is not there. */
  exists(): boolean;
  start(): void;
  /** @param clean false as in a power cut */
  stop(clean: boolean): Promise<void>;
}

interface Unit {
  readonly service: Service;
  readonly conflicts: readonly string[];
  enabled: boolean;
  active: boolean;
}

const SUFFIX = '.service';
/** As systemctl's own. */
const NOT_LOADED = 5;

export class Units {
  readonly #units = new Map<string, Unit>();

  add(
    name: string,
    service: Service,
    { enabled, conflicts = [] }: { enabled: boolean; conflicts?: readonly string[] },
  ) {
    this.#units.set(name, { service, conflicts, enabled, active: false });
  }

  isActive(name: string): boolean {
    return this.#units.get(name)?.active === true;
  }

  powerOn(): void {
    for (const [name, unit] of this.#units) if (unit.enabled && unit.service.exists()) void this.#start(name);
  }

  async powerOff(): Promise<void> {
    for (const unit of this.#units.values()) {
      unit.active = false;
      await unit.service.stop(false);
    }
  }

  /** Words after `systemctl`. */
  async systemctl(words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    const [verb = '', ...rest] = words;
    const now = rest.includes('--now');
    const names = rest.filter((word) => word.endsWith(SUFFIX)).map((word) => word.slice(0, -SUFFIX.length));
    const good = (out = '') => ({ code: 0, out, err: '' });
    if (verb === 'daemon-reload') return good();
    if (verb === 'show') return good(names.map((name) => this.#show(name)).join('\n'));
    for (const name of names) {
      const unit = this.#units.get(name);
      if (unit?.service.exists() !== true) {
        const err = `Failed to ${verb} unit: Unit file ${name}${SUFFIX} does not exist.\n`;
        return { code: NOT_LOADED, out: '', err };
      }
      if (verb === 'enable' || verb === 'disable') unit.enabled = verb === 'enable';
      if (verb === 'start' || (verb === 'enable' && now)) await this.#start(name);
      else if (verb === 'stop' || (verb === 'disable' && now)) await this.#stop(unit);
      else if (verb !== 'enable' && verb !== 'disable')
        return { code: 1, out: '', err: `Unknown command verb ${verb}.\n` };
    }
    return good();
  }

  async #start(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined || unit.active) return;
    for (const [other, each] of this.#units) {
      if (unit.conflicts.includes(other) || each.conflicts.includes(name)) await this.#stop(each);
    }
    unit.active = true;
    unit.service.start();
  }

  async #stop(unit: Unit): Promise<void> {
    if (!unit.active) return;
    unit.active = false;
    await unit.service.stop(true);
  }

  #show(name: string): string {
    const unit = this.#units.get(name);
    const there = unit?.service.exists() === true;
    const lines = {
      Id: `${name}${SUFFIX}`,
      LoadState: there ? 'loaded' : 'not-found',
      ActiveState: unit?.active === true ? 'active' : 'inactive',
      UnitFileState: there ? (unit.enabled ? 'enabled' : 'disabled') : '',
    };
    return Object.entries(lines)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }
}
