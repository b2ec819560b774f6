/** What Bellwether stands on: a Temporal and an S3, given by the environment or embedded. */
import { join } from 'node:path';
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { startS3, type EmbeddedS3 } from '../s3/server.ts';
import { startTemporal, type EmbeddedTemporal } from '../temporal/server.ts';

export interface Platform {
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    /** TLS, API key and the like, of a given server: whatever the TEMPORAL_* variables say. */
    readonly connection?: ConnectionOptions;
    readonly uiUrl?: string;
    readonly origin: string;
    /** Present when it is ours. */
    readonly embedded?: EmbeddedTemporal;
  };
  readonly s3: {
    /** Undefined: the AWS_* variables rule. */
    readonly embedded?: EmbeddedS3;
  };
  stop(): Promise<void>;
}

export interface PlatformOptions {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  /** False: an embedded Temporal comes without its web UI. */
  readonly ui?: boolean;
}

/** The namespace that holds Bellwether's operations, unless `TEMPORAL_NAMESPACE` names another. */
const NAMESPACE = 'bellwether';

export async function startPlatform({ dir, env, say, ui = true }: PlatformOptions): Promise<Platform> {
  const given = env['TEMPORAL_ADDRESS'] || env['TEMPORAL_PROFILE'] ? loadClientConnectConfig() : undefined;
  const namespace = env['TEMPORAL_NAMESPACE'] || NAMESPACE;
  const s3Given = Boolean(
    env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || env['AWS_ACCESS_KEY_ID'] || env['AWS_PROFILE'],
  );
  const [temporal, s3] = await Promise.all([
    given !== undefined ? undefined : startTemporal({ dir: join(dir, 'temporal'), namespace, ui, say }),
    s3Given ? undefined : startS3({ dir: join(dir, 's3'), say }),
  ]);
  const stop = async () => {
    await Promise.all([temporal?.stop(), s3?.stop()]);
  };
  if (temporal === undefined) {
    const connection: ConnectionOptions = given?.connectionOptions ?? {};
    const address = connection.address ?? '127.0.0.1:7233';
    const theirs = given?.namespace === undefined || given.namespace === 'default' ? namespace : given.namespace;
    return {
      temporal: { address, namespace: theirs, connection, origin: 'TEMPORAL_* variables' },
      s3: s3 === undefined ? {} : { embedded: s3 },
      stop,
    };
  }
  const { uiUrl, origin } = temporal;
  return {
    temporal: {
      address: temporal.address,
      namespace,
      origin,
      embedded: temporal,
      ...(uiUrl === undefined ? {} : { uiUrl }),
    },
    s3: s3 === undefined ? {} : { embedded: s3 },
    stop,
  };
}
