/** The hosts of a cluster: work goes to one that answers, and moves to another when that one goes down. */
import { CounterpartError } from '../errors.ts';
import type { CallObserver } from '../observe.ts';
import { VdsmClient } from './client.ts';

export interface HostConfig {
  readonly name: string;
  readonly address: string;
  readonly vdsmPort: number;
  /** PEM files: the engine's CA, and a certificate signed by it with its key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Two hosts that can't be reached cost this much each before a third is asked. */
const PROBE_LIMIT_MS = 5000;

function connectionTrouble(error: unknown): boolean {
  return error instanceof CounterpartError && error.facts.type.startsWith('vdsm/') && error.facts.kind === 'retryable';
}

function noneLeft(subject: string, what: string, tried: readonly string[]): CounterpartError {
  return new CounterpartError({
    type: 'vdsm/no-host',
    kind: 'retryable',
    subject,
    what,
    why: tried.length === 0 ? 'no host is configured' : tried.join('; '),
    remedy: 'Bring up one of the hosts (or its vdsmd service); it is tried again by itself.',
  });
}

function reasonOf(error: unknown): string {
  return error instanceof CounterpartError ? error.facts.why : String(error);
}

/** VDSM's own port (vdsm.md 1). */
const VDSM_PORT = 54_321;

function clientOf({ name, address, vdsmPort, ca, cert, key }: HostConfig, observe?: CallObserver): VdsmClient {
  const options = { name, address, port: vdsmPort, ca, cert, key };
  return new VdsmClient(observe === undefined ? options : { ...options, observe });
}

export class HostPool {
  readonly #observe: CallObserver | undefined;
  readonly #configs: HostConfig[];
  #clients: VdsmClient[];
  #order: VdsmClient[];

  constructor(hosts: readonly HostConfig[], observe?: CallObserver) {
    this.#observe = observe;
    this.#configs = [...hosts];
    this.#clients = hosts.map((host) => clientOf(host, observe));
    this.#order = [...this.#clients];
  }

  get clients(): readonly VdsmClient[] {
    return this.#clients;
  }

  /** @throws CounterpartError needs-operator when no host of that name is configured. */
  named(name: string): VdsmClient {
    const found = this.#clients.find((client) => client.name === name);
    if (found !== undefined) return found;
    throw new CounterpartError({
      type: 'configuration/unknown-host',
      kind: 'needs-operator',
      subject: `host ${name}`,
      what: 'this worker does not know it',
      why: `it knows ${this.#clients.map((client) => client.name).join(', ') || 'none'}`,
      remedy:
        'Add the host to the cluster in the file that BELLWETHER_CLUSTERS_FILE names, restart the worker, then retry.',
    });
  }

  /**
   * A host that the configuration does not list (one that is being added) with the TLS files of those that it lists: the
   * engine's CA signs them all. Known from then on, until the worker ends.
   */
  ensure(host: { readonly name: string; readonly address: string; readonly vdsmPort?: number }): VdsmClient {
    const known = this.#clients.find((client) => client.name === host.name);
    if (known !== undefined) return known;
    const [like] = this.#configs;
    if (like === undefined) throw noneLeft(`host ${host.name}`, 'it can’t be asked', []);
    const config = { ...like, name: host.name, address: host.address, vdsmPort: host.vdsmPort ?? VDSM_PORT };
    const client = clientOf(config, this.#observe);
    this.#configs.push(config);
    this.#clients = [...this.#clients, client];
    this.#order = [...this.#order, client];
    return client;
  }

  /** A host that left the engine is asked no more, until the worker starts anew and finds it in its configuration. */
  forget(name: string): void {
    const left = this.#clients.filter((client) => client.name === name);
    this.#clients = this.#clients.filter((client) => client.name !== name);
    this.#order = this.#order.filter((client) => client.name !== name);
    for (const client of left) void client.close();
  }

  /** Hosts that answer now, in the order in which they were asked. */
  async reachable(signal: AbortSignal): Promise<VdsmClient[]> {
    const answers = await Promise.all(
      this.#order.map((host) =>
        host.call('Host.ping2', {}, { timeoutMs: PROBE_LIMIT_MS, signal }).then(
          () => [host],
          () => [],
        ),
      ),
    );
    return answers.flat();
  }

  /**
   * Runs `work` on the first host for which it does not fail for want of an answer. `work` must be safe to repeat on
   * another host. The host that worked is asked first the next time.
   */
  async onAny<T>(what: string, signal: AbortSignal, work: (host: VdsmClient) => Promise<T>): Promise<T> {
    const tried: string[] = [];
    for (const host of this.#order) {
      signal.throwIfAborted();
      try {
        await host.call('Host.ping2', {}, { timeoutMs: PROBE_LIMIT_MS, signal });
        const result = await work(host);
        this.#prefer(host);
        return result;
      } catch (error) {
        if (!connectionTrouble(error)) throw error;
        tried.push(`${host.name}: ${reasonOf(error)}`);
      }
    }
    throw noneLeft('hosts', what, tried);
  }

  #prefer(host: VdsmClient): void {
    this.#order = [host, ...this.#order.filter((other) => other !== host)];
  }

  /**
   * The host that is the pool's SPM now: only it may create volumes and move data (vdsm.md 9).
   * @throws CounterpartError retryable while no host is SPM (an election takes seconds to minutes).
   */
  async spm(poolId: string, signal: AbortSignal): Promise<VdsmClient> {
    const seen: string[] = [];
    for (const host of this.#order) {
      try {
        const { spmStatus } = await host.call(
          'StoragePool.getSpmStatus',
          { storagepoolID: poolId },
          { timeoutMs: PROBE_LIMIT_MS, signal },
        );
        if (spmStatus === 'SPM') return host;
        seen.push(`${host.name}: ${spmStatus}`);
      } catch (error) {
        if (signal.aborted) throw error;
        seen.push(`${host.name}: ${reasonOf(error)}`);
      }
    }
    throw noneLeft('storage pool manager', 'no host is SPM of the data center', seen);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#clients.map((host) => host.close()));
  }
}
