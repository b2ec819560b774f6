/**
 * Faults of the lab, injected by name while it runs. A fault stays until cleared unless it carries a count.
 */
export type LabFault =
  /** The host's VDSM port refuses connections, its VMs are gone, its agent writes nothing. */
  | { readonly kind: 'host-down'; readonly host: string }
  /** The host goes down at its next reboot and does not come back. */
  | { readonly kind: 'host-no-boot'; readonly host: string }
  /** The host's path to the storage hangs: its domain monitors say so. (The files of the failover lab hang beside it.) */
  | { readonly kind: 'storage-hang'; readonly host: string }
  /** VDSM answers every verb with 99. */
  | { readonly kind: 'vdsm-recovering'; readonly host: string; readonly calls?: number }
  /** Connection closed after the request was read and *executed* (the answer is lost), `verb` e.g. `Volume.create`; `*` = all, `<change>` = all that change something; `PUT` = the data stream, cut half way. */
  | { readonly kind: 'vdsm-cut'; readonly host?: string; readonly verb: string; readonly times: number }
  /** Verb answers after a delay, in lab milliseconds. */
  | { readonly kind: 'vdsm-slow'; readonly host?: string; readonly verb: string; readonly delayMs: number }
  /** Verb answers with this error. */
  | {
      readonly kind: 'vdsm-error';
      readonly host?: string;
      readonly verb: string;
      readonly code: number;
      readonly message: string;
      readonly times: number;
    }
  /** Volume.create / PUT fail for want of space. */
  | { readonly kind: 'storage-full'; readonly times: number }
  /** Engine answers matching requests (`POST /storagedomains`; `*` matches any text without a slash, `**` any text; method `<change>` = all but GET) with this status. */
  | {
      readonly kind: 'engine-error';
      readonly match: string;
      readonly status: number;
      readonly reason: string;
      readonly detail: string;
      readonly times: number;
    }
  /** Engine drops the connection after it carried out the command. */
  | { readonly kind: 'engine-drop'; readonly match: string; readonly times: number }
  | { readonly kind: 'engine-slow'; readonly match: string; readonly delayMs: number }
  /** The engine's update of the host of that name fails, which leaves it `install_failed`. */
  | { readonly kind: 'engine-host-update'; readonly host: string; readonly times: number }
  /** How the installation of the next hosts with this address ends (engine.md 20); `*` = any. */
  | {
      readonly kind: 'host-install';
      readonly address: string;
      readonly outcome: 'install_failed' | 'non_operational';
      readonly times: number;
    }
  /** All tokens are revoked now. */
  | { readonly kind: 'engine-token-expired' }
  /** Data center's status as reported, until cleared. */
  | { readonly kind: 'data-center-status'; readonly status: string }
  /** The engine writes the OVF_STORE just now when it is asked to (409). */
  | { readonly kind: 'engine-ovf-busy'; readonly times: number }
  /** The engine does not write the OVF_STORE after a change by itself. */
  | { readonly kind: 'engine-ovf-late'; readonly times: number };

export interface FaultBoard {
  inject(fault: LabFault): void;
  clear(kind?: LabFault['kind']): void;
}

type FaultOf<K extends LabFault['kind']> = Extract<LabFault, { readonly kind: K }>;

function isKind<K extends LabFault['kind']>(fault: LabFault, kind: K): fault is FaultOf<K> {
  return fault.kind === kind;
}

function initialCount(fault: LabFault): number {
  if ('times' in fault) return fault.times;
  return fault.kind === 'vdsm-recovering' ? (fault.calls ?? Infinity) : Infinity;
}

/** The faults of one process of the lab, and what is left of their counts. */
export class LabFaultBoard implements FaultBoard {
  readonly #faults: { readonly fault: LabFault; left: number }[] = [];
  readonly #listeners = new Set<() => void>();

  inject(fault: LabFault): void {
    this.#faults.push({ fault, left: initialCount(fault) });
    this.#notify();
  }

  clear(kind?: LabFault['kind']): void {
    const kept = this.#faults.filter((entry) => kind !== undefined && entry.fault.kind !== kind);
    this.#faults.splice(0, this.#faults.length, ...kept);
    this.#notify();
  }

  active(): readonly LabFault[] {
    return this.#faults.map((entry) => entry.fault);
  }

  /** The first active fault of this kind that `matches`; nothing is used up. */
  peek<K extends LabFault['kind']>(
    kind: K,
    matches: (fault: FaultOf<K>) => boolean = () => true,
  ): FaultOf<K> | undefined {
    for (const { fault } of this.#faults) if (isKind(fault, kind) && matches(fault)) return fault;
    return undefined;
  }

  /** Like `peek`, and uses up one of the fault's times; at the last one the fault is gone. */
  take<K extends LabFault['kind']>(
    kind: K,
    matches: (fault: FaultOf<K>) => boolean = () => true,
  ): FaultOf<K> | undefined {
    for (const [index, entry] of this.#faults.entries()) {
      const { fault } = entry;
      if (!isKind(fault, kind) || !matches(fault)) continue;
      entry.left -= 1;
      if (entry.left <= 0) this.#faults.splice(index, 1);
      return fault;
    }
    return undefined;
  }

  /** Calls `listener` after each inject and clear; the answer stops that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
