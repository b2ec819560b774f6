import type { FaultBoard, LabFault } from '../faults.ts';

export interface InjectedError {
  readonly status: number;
  readonly reason: string;
  readonly detail: string;
}

interface Entry {
  readonly fault: LabFault;
  left: number;
}

/** Injected faults of this engine process. They are gone when the process ends, as they are the process's behaviour. */
export class EngineFaults implements FaultBoard {
  #entries: Entry[] = [];
  readonly #revokeTokens: () => void;

  constructor(revokeTokens: () => void) {
    this.#revokeTokens = revokeTokens;
  }

  inject(fault: LabFault): void {
    // Losing the tokens is an event, not a state: new ones are good.
    if (fault.kind === 'engine-token-expired') this.#revokeTokens();
    else this.#entries.push({ fault, left: 'times' in fault ? fault.times : Number.POSITIVE_INFINITY });
  }

  clear(kind?: LabFault['kind']): void {
    this.#entries = kind === undefined ? [] : this.#entries.filter((entry) => entry.fault.kind !== kind);
  }

  list(): readonly LabFault[] {
    return this.#entries.map((entry) => entry.fault);
  }

  /** Lab milliseconds a request has to wait. `path` is below the API root, or absolute outside of it. */
  delay(method: string, path: string): number {
    let delayMs = 0;
    for (const { fault } of this.#entries) {
      if (fault.kind === 'engine-slow' && matches(fault.match, method, path)) delayMs += fault.delayMs;
    }
    return delayMs;
  }

  /** The error a request meets instead of being carried out; counts as used. */
  error(method: string, path: string): InjectedError | undefined {
    return this.#use('engine-error', (fault) => matches(fault.match, method, path));
  }

  /** True when the answer of a carried out request is to be lost. */
  dropAnswer(method: string, path: string): boolean {
    return this.#use('engine-drop', (fault) => matches(fault.match, method, path)) !== undefined;
  }

  /** Outcome forced on the installation of a host, used up by asking. */
  installOutcome(address: string): 'install_failed' | 'non_operational' | undefined {
    return this.#use('host-install', (fault) => fault.address === address || fault.address === '*')?.outcome;
  }

  /** True when the update of this host is to fail, used up by asking. */
  updateFails(host: string): boolean {
    return this.#use('engine-host-update', (fault) => fault.host === host) !== undefined;
  }

  ovfBusy(): boolean {
    return this.#use('engine-ovf-busy', () => true) !== undefined;
  }

  ovfLate(): boolean {
    return this.#use('engine-ovf-late', () => true) !== undefined;
  }

  dataCenterStatus(): string | undefined {
    for (const { fault } of this.#entries) if (fault.kind === 'data-center-status') return fault.status;
    return undefined;
  }

  #use<K extends LabFault['kind']>(
    kind: K,
    fits: (fault: Extract<LabFault, { kind: K }>) => boolean,
  ): Extract<LabFault, { kind: K }> | undefined {
    for (const entry of this.#entries) {
      if (!isKind(entry.fault, kind) || entry.left <= 0 || !fits(entry.fault)) continue;
      entry.left -= 1;
      if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
      return entry.fault;
    }
    return undefined;
  }
}

function isKind<K extends LabFault['kind']>(fault: LabFault, kind: K): fault is Extract<LabFault, { kind: K }> {
  return fault.kind === kind;
}

/**
 * Pattern: a method (a star for all, `<change>` for all that change something) and a path, in which a star stands for any
 * text without a slash, two for any text.
 */
function matches(pattern: string, method: string, path: string): boolean {
  const [wantedMethod = '*', wantedPath = '*'] = pattern.trim().split(/\s+/);
  const change = wantedMethod === '<change>' && method !== 'GET' && !path.startsWith('/ovirt-engine/');
  if (!change && wantedMethod !== '*' && wantedMethod.toUpperCase() !== method) return false;
  const literal = (part: string) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`);
  const expression = wantedPath
    .split('**')
    .map((half) => half.split('*').map(literal).join('[^/]*'))
    .join('.*');
  return new RegExp(`^${expression}$`).test(path);
}
