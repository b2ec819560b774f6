/** Configuration of the official Temporal server and web UI on one machine (temporal.md "The official server on SQLite"). */

export interface TemporalPorts {
  readonly frontend: number;
  readonly http: number;
  readonly ui: number;
  /** gRPC of history, matching, worker; membership of all four; metrics. */
  readonly internal: readonly [number, number, number, number, number, number, number, number];
}

/** Search attributes of every operation (design.md "An operation"). All of them are keywords: ids and states only. */
export const SEARCH_ATTRIBUTES = ['HeCluster', 'HeOperation', 'HeStep', 'HeHost', 'HeTicket', 'HeState'] as const;

/** Longer than any sender's retries: a delivery that comes weeks late still finds its operation (orchestration.md 1.3). */
export const RETENTION_DAYS = 30;

/**
 * Values that make the server five times faster than as shipped: without them each task waits for a 50 ms tick and each
 * timer may be a second late (temporal.md 7, pitfalls 1 and 2).
 */
export const DYNAMIC_CONFIG: Readonly<Record<string, unknown>> = {
  'history.transferProcessorMaxPollRPS': 200,
  'history.timerProcessorMaxPollRPS': 200,
  'history.visibilityProcessorMaxPollRPS': 100,
  'history.timerProcessorMaxTimeShift': '10ms',
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'frontend.WorkflowTimeSkippingEnabled': true,
  'system.forceSearchAttributesCacheRefreshOnRead': true,
};

function sqlite(file: string) {
  return {
    sql: {
      user: '',
      password: '',
      pluginName: 'sqlite',
      databaseName: file,
      connectAddr: 'localhost',
      connectProtocol: 'tcp',
      connectAttributes: { cache: 'private', setup: 'true', journal_mode: 'wal', synchronous: '2' },
      maxConns: 1,
      maxIdleConns: 1,
      maxConnLifetime: '1h',
    },
  };
}

/** The server's configuration file; JSON is YAML. Only `datastores` differs for PostgreSQL (README "Outgrowing one machine"). */
export function serverConfig(databaseFile: string, dynamicConfigFile: string, ports: TemporalPorts): string {
  const [history, matching, worker, mFrontend, mHistory, mMatching, mWorker, metrics] = ports.internal;
  const rpc = (grpcPort: number, membershipPort: number) => ({
    rpc: { grpcPort, membershipPort, bindOnLocalHost: true },
  });
  const address = `127.0.0.1:${ports.frontend}`;
  return JSON.stringify({
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 1,
      datastores: { default: sqlite(databaseFile), visibility: sqlite(databaseFile) },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' },
      metrics: { prometheus: { timerType: 'histogram', listenAddress: `127.0.0.1:${metrics}` } },
    },
    services: {
      frontend: { rpc: { ...rpc(ports.frontend, mFrontend).rpc, httpPort: ports.http } },
      history: rpc(history, mHistory),
      matching: rpc(matching, mMatching),
      worker: rpc(worker, mWorker),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: address,
          httpAddress: `127.0.0.1:${ports.http}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '60s' },
  });
}

export function dynamicConfigFile(): string {
  return JSON.stringify(Object.fromEntries(Object.entries(DYNAMIC_CONFIG).map(([key, value]) => [key, [{ value }]])));
}

/** The web UI's configuration: loopback only, calls nobody. */
export function uiConfig(namespace: string, ports: TemporalPorts): string {
  return JSON.stringify({
    temporalGrpcAddress: `127.0.0.1:${ports.frontend}`,
    host: '127.0.0.1',
    port: ports.ui,
    enableUi: true,
    defaultNamespace: namespace,
    notifyOnNewVersion: false,
    disableNewsFetch: true,
    cors: { allowOrigins: [`http://127.0.0.1:${ports.ui}`] },
    auth: { enabled: false },
  });
}
