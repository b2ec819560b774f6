/** The clusters that Bellwether serves: their engine and hosts, with one client each, shared by all operations. */
import { readFile } from 'node:fs/promises';
import { EngineClient } from './engine/client.ts';
import { CounterpartError } from './errors.ts';
import { correlationOf } from './ids.ts';
import { HostPool, type HostConfig } from './vdsm/hosts.ts';

export interface ClusterConfig {
  /** As the engine names it. */
  readonly name: string;
  readonly engine: {
    /** e.g. `https://engine.example.test/ovirt-engine/api`. */
    readonly url: string;
    readonly ca: string;
    /** `user@profile`. */
    readonly user: string;
    /** The password's file, never the password: requests and histories carry names of secrets only. */
    readonly passwordFile: string;
  };
  readonly hosts: readonly HostConfig[];
}

export interface Cluster {
  readonly name: string;
  readonly hosts: HostPool;
  /** The engine's client, every call of which carries the operation's correlation id. */
  engine(operationId: string, signal?: AbortSignal): EngineClient;
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new CounterpartError(
      {
        type: 'configuration/password-file',
        kind: 'needs-operator',
        subject: file,
        what: 'the engine’s password could not be read',
        why: cause instanceof Error ? cause.message : String(cause),
        remedy: 'Make the file readable for the worker, then retry.',
      },
      { cause },
    );
  }
}

export class ClusterRegistry {
  readonly #clusters = new Map<string, Cluster>();
  readonly #closers: (() => Promise<void>)[] = [];

  constructor(configs: readonly ClusterConfig[]) {
    for (const config of configs) this.#add(config);
  }

  #add({ name, engine, hosts }: ClusterConfig): void {
    const client = new EngineClient({
      baseUrl: engine.url,
      caFile: engine.ca,
      user: engine.user,
      password: () => readPassword(engine.passwordFile),
    });
    const pool = new HostPool(hosts);
    this.#clusters.set(name, {
      name,
      hosts: pool,
      engine: (operationId, signal) => client.withCorrelation(correlationOf(operationId), signal),
    });
    this.#closers.push(
      () => client.close(),
      () => pool.close(),
    );
  }

  /** @throws CounterpartError when no such cluster is configured on this worker. */
  get(name: string): Cluster {
    const found = this.#clusters.get(name);
    if (found !== undefined) return found;
    const known = [...this.#clusters.keys()];
    throw new CounterpartError({
      type: 'configuration/unknown-cluster',
      kind: 'needs-operator',
      subject: `cluster ${name}`,
      what: 'this worker does not know it',
      why: known.length === 0 ? 'no cluster is configured' : `it knows ${known.join(', ')}`,
      remedy: 'Add the cluster to the file that BELLWETHER_CLUSTERS_FILE names, restart the worker, then retry.',
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#closers.map((close) => close()));
  }
}
