/** Makes the namespace and the search attributes exist on any Temporal server, ours or a given one. */
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { until } from '../processes.ts';
import { RETENTION_DAYS, SEARCH_ATTRIBUTES } from './config.ts';

const KEYWORD = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
const ALREADY_EXISTS = 6;

function isAlreadyThere(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === ALREADY_EXISTS;
}

async function ignoreExisting(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isAlreadyThere(error)) throw error;
  });
}

async function hasSearchAttributes(connection: Connection, namespace: string): Promise<boolean> {
  const known = await connection.operatorService.listSearchAttributes({ namespace }).catch(() => undefined);
  return known !== undefined && SEARCH_ATTRIBUTES.every((name) => known.customAttributes?.[name] !== undefined);
}

/**
 * Creates what is missing and waits until the server shows it; both take a moment to be seen.
 * A namespace that exists already keeps its retention: it is its owner's.
 */
export async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  await ignoreExisting(
    connection.workflowService.registerNamespace({
      namespace,
      description: 'Bellwether: operations on hosted engines',
      workflowExecutionRetentionPeriod: msToTs(`${RETENTION_DAYS} days`),
    }),
  );
  const described = () =>
    connection.workflowService.describeNamespace({ namespace }).then(
      () => true,
      () => false,
    );
  await until(`Temporal namespace ${namespace}`, described, 30_000);
  if (await hasSearchAttributes(connection, namespace)) return;
  const searchAttributes = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD]));
  const add = async () => {
    await ignoreExisting(connection.operatorService.addSearchAttributes({ namespace, searchAttributes })).catch(
      () => {},
    );
    return hasSearchAttributes(connection, namespace);
  };
  await until(`Temporal search attributes ${SEARCH_ATTRIBUTES.join(', ')}`, add, 30_000);
}
