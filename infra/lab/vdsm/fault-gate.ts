/**
 * Where injected faults meet one call of one host. As a fault's verb `*` means every verb, `<change>` every one that
 * changes something.
 */
import { fail, VdsmError } from './errors.ts';
import type { HostState } from './host-state.ts';

const READS = /(^GET$|\.(get|list|ping|is)[A-Za-z0-9]*$)/;

export class FaultGate {
  readonly #host: HostState;
  readonly #verb: string;

  /** @param verb method name, or `PUT` / `GET` for the data streams */
  constructor(host: HostState, verb: string) {
    this.#host = host;
    this.#verb = verb;
  }

  #concerns(fault: { readonly host?: string; readonly verb: string }): boolean {
    return (fault.host ?? this.#host.name) === this.#host.name && this.#isMeant(fault.verb);
  }

  #isMeant(verb: string): boolean {
    return verb === '*' || verb === this.#verb || (verb === '<change>' && !READS.test(this.#verb));
  }

  /** Before the call is carried out. @throws VdsmError 99, or that of a `vdsm-error` */
  refuse(): void {
    const { faults, name, recovering } = this.#host;
    if (recovering || faults.take('vdsm-recovering', (fault) => fault.host === name) !== undefined) {
      throw fail.recovering();
    }
    const error = faults.take('vdsm-error', (fault) => this.#concerns(fault));
    if (error !== undefined) throw new VdsmError(error.code, error.message);
  }

  /** After it was carried out: the answer is late. */
  async delay(): Promise<void> {
    const slow = this.#host.faults.peek('vdsm-slow', (fault) => this.#concerns(fault));
    if (slow !== undefined) await this.#host.clock.sleep(slow.delayMs);
  }

  /** True when the connection is to be cut instead of answering. Uses up one of the fault's times. */
  cut(): boolean {
    return this.#host.faults.take('vdsm-cut', (fault) => this.#concerns(fault)) !== undefined;
  }
}
