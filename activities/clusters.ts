/** The clusters that Bellwether serves: their engine and hosts, with one client each, shared by all operations. */
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { EngineClient } from './engine/client.ts';
import { CounterpartError } from './errors.ts';
import { correlationOf } from './ids.ts';
import type { CallObserver } from './observe.ts';
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
    /** Addresses of its name where no name server tells them; left out: this machine’s resolver is asked. */
    readonly resolvesTo?: readonly string[];
  };
  readonly hosts: readonly HostConfig[];
}

export interface Cluster {
  readonly name: string;
  readonly hosts: HostPool;
  /** Host part of the engine's URL, and the user that logs in there. */
  readonly engineHost: string;
  readonly engineUser: string;
  /** Addresses of the engine's name. Empty: nobody knows it. */
  resolveEngine(fqdn: string): Promise<readonly string[]>;
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

/** As every program on this machine sees it: /etc/hosts included. */
async function addressesOf(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

export class ClusterRegistry {
  readonly #clusters = new Map<string, Cluster>();
  readonly #configs: readonly ClusterConfig[];
  readonly #closers: (() => Promise<void>)[] = [];

  /** @param observe is told of every call to engine and hosts */
  constructor(configs: readonly ClusterConfig[], observe?: CallObserver) {
    this.#configs = configs;
    for (const config of configs) this.#add(config, observe);
  }

  #add({ name, engine, hosts }: ClusterConfig, observe: CallObserver | undefined): void {
    const client = new EngineClient({
      baseUrl: engine.url,
      caFile: engine.ca,
      user: engine.user,
      password: () => readPassword(engine.passwordFile),
      ...(observe === undefined ? {} : { observe }),
    });
    const pool = new HostPool(hosts, observe);
    this.#clusters.set(name, {
      name,
      hosts: pool,
      engineHost: new URL(engine.url).hostname,
      engineUser: engine.user,
      resolveEngine: async (fqdn) => engine.resolvesTo ?? (await addressesOf(fqdn)),
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

  /** What the file says of it; for checks of the installation. */
  configOf(name: string): ClusterConfig | undefined {
    return this.#configs.find((config) => config.name === name);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#closers.map((close) => close()));
  }
}
