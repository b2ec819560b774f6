/** What an operation is called in the lists of the Temporal UI, and what its page says of the request. */
import type { OperationRequest } from './requests.ts';

/** In a sentence: "The removal of a host was aborted". */
export const NOUNS: Readonly<Record<OperationRequest['operation'], string>> = {
  'edit-engine-vm': 'edit of the engine VM',
  'leave-host-maintenance': 'return from maintenance',
  'enter-host-maintenance': 'move to maintenance',
  'rolling-host-update': 'update of the hosts',
  install: 'install',
  'add-host': 'adding of a host',
  'remove-host': 'removal of a host',
  'global-maintenance': 'change of global maintenance',
  upgrade: 'upgrade',
  restore: 'restore',
  backup: 'backup',
  reconcile: 'comparison of the sources',
};

/** One line, without the cluster. */
function purpose(request: OperationRequest): string {
  switch (request.operation) {
    case 'upgrade':
      return 'Upgrade the hosted engine';
    case 'global-maintenance':
      return `Switch global maintenance ${request.mode}`;
    case 'enter-host-maintenance':
      return `Put ${request.host} into maintenance`;
    case 'leave-host-maintenance':
      return `Take ${request.host} out of maintenance`;
    case 'rolling-host-update':
      return 'Update the hosts one by one';
    case 'add-host':
      return `Add ${request.host} as hosted-engine host`;
    case 'remove-host':
      return `Remove hosted engine from ${request.host}`;
    case 'edit-engine-vm':
      return 'Edit the engine VM';
    case 'backup':
      return 'Back up the configuration';
    case 'restore':
      return request.apply ? 'Restore configuration' : 'Show what a restore would change';
    case 'reconcile':
      return request.repair.length === 0 ? 'Look for drift' : 'Look for drift and repair it';
    case 'install':
      return `Install the hosted engine ${request.answers.fqdn}`;
  }
}

/** For the list of workflows. */
export function summaryOf(request: OperationRequest): string {
  return `${purpose(request)}: ${request.cluster} (${request.ticket ?? request.key})`;
}

/** The request's own facts, a line each. */
function facts(request: OperationRequest): string[] {
  switch (request.operation) {
    case 'upgrade':
      return [`definition from: ${request.source}`];
    case 'global-maintenance':
      return request.until === undefined ? [] : [`until: ${request.until}`];
    case 'rolling-host-update':
      return [`hosts: ${request.hosts?.join(', ') ?? 'all'}`];
    case 'add-host':
      return [`address: ${request.address}`, `HA services: ${request.agent}`];
    case 'remove-host':
      return [
        `removed from the engine too: ${request.fromEngine ? 'yes' : 'no'}`,
        ...(request.dead === true ? ['said to be gone for good, without power'] : []),
      ];
    case 'edit-engine-vm':
      return Object.entries(request.change).map(([field, value]) => `${field}: \`${JSON.stringify(value)}\``);
    case 'restore':
      return [`backup: ${request.backup}`, `items: ${request.items.join(', ')}`];
    case 'reconcile':
      return [`repairs: ${request.repair.join(', ') || 'nothing'}`];
    case 'install':
      return [
        `first host: ${request.answers.host.name}`,
        `storage: ${request.answers.storage.address}:${request.answers.storage.path}`,
      ];
    case 'enter-host-maintenance':
    case 'leave-host-maintenance':
    case 'backup':
      return [];
  }
}

/** Markdown, beside the current details in the Temporal UI: lists only, which that UI shows without gaps. */
export function detailsOf(request: OperationRequest, id: string): string {
  return [
    `- cluster: **${request.cluster}**`,
    ...(request.ticket === undefined ? [] : [`- ticket: ${request.ticket}`]),
    `- requested by: ${request.requestedBy}`,
    ...(request.reason === undefined ? [] : [`- reason: ${request.reason}`]),
    ...facts(request).map((fact) => `- ${fact}`),
    `- follow it: \`npx bellwether operation watch ${id}\``,
    '',
    '**The buttons of this page**',
    '',
    '- *Request Cancellation*: ends it and takes back what was done, like the update `abort`',
    '- *More Actions*, *Send an Update*: `retry`, `skip` or `abort`, when it is parked; `abort` while it runs, too',
    '- *Terminate* and *Reset*: **not for operations**; nothing is taken back, global maintenance may stay on',
  ].join('\n');
}
