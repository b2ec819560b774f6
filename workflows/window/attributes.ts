/** What visibility knows of an operation from its start on; as the front door says it. */
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { OperationRequest } from '../model/requests.ts';

const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

export function attributesOf({ cluster, operation, ticket }: OperationRequest): TypedSearchAttributes {
  return new TypedSearchAttributes([
    keyword('HeCluster', cluster),
    keyword('HeOperation', operation),
    keyword('HeState', 'queued'),
    ...(ticket === undefined ? [] : [keyword('HeTicket', ticket)]),
  ]);
}
