/** Ids of operations and of the cluster's entity. */
import type { OperationRequest } from './requests.ts';

/**
 * `<operation>/<cluster>[/<host>]/<key>`: a late retry of a delivery finds its operation, whatever ran in between
 * (orchestration.md 1.3).
 */
export function operationId(
  request: Pick<OperationRequest, 'operation' | 'cluster' | 'key'> & { readonly host?: string },
): string {
  const { operation, cluster, host, key } = request;
  return [operation, cluster, ...(host === undefined ? [] : [host]), key].join('/');
}

export function clusterEntityId(cluster: string): string {
  return `cluster/${cluster}`;
}

/** A ticket's number or key, and a cluster's name: no slash (it parts the id), nothing that needs quoting. */
export const KEY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
