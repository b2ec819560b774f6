/** Events of VDSM on `jms.queue.events` (vdsm.md 5). No history, no sequence: what happens while we are away is lost. */
import { z } from 'zod';
import { parseJson } from './json-rpc.ts';
import { num } from './shapes.ts';

type Fields = Readonly<Record<string, unknown>>;

/** `notifyTime`: the host's clock as in `statusTime`, so that what is older than a poll can be told. */
export type VdsmEvent =
  /** Subscribed, for the first time or again: poll the state now, then apply newer events only. */
  | { readonly kind: 'connected' }
  /** `fields` is partial (always `status`): merge, don't replace. */
  | { readonly kind: 'vm-status'; readonly vmId: string; readonly fields: Fields; readonly notifyTime: number }
  | { readonly kind: 'vm-migration'; readonly vmId: string; readonly fields: Fields; readonly notifyTime: number }
  | { readonly kind: 'job-status'; readonly jobId: string; readonly fields: Fields; readonly notifyTime: number }
  /** Link or DHCP change: read the capabilities again. */
  | { readonly kind: 'host-connectivity'; readonly notifyTime: number }
  | { readonly kind: 'other'; readonly name: string; readonly fields: Fields };

export type EventListener = (event: VdsmEvent) => void;

const fieldsSchema = z.record(z.string(), z.unknown());
const notification = z.looseObject({ method: z.string(), params: fieldsSchema.default({}) });

/** The part of the body below the VM's id. */
function part(params: Fields, id: string): Fields {
  return fieldsSchema.safeParse(params[id]).data ?? {};
}

/** The name has four parts, the first (receiver) empty or a host's name. undefined: no event at all. */
export function parseEvent(body: Buffer): VdsmEvent | undefined {
  const parsed = notification.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { method: name, params } = parsed.data;
  const [, component, operation, id = ''] = name.split('|');
  const notifyTime = num.safeParse(params['notify_time']).data ?? 0;
  switch (`${component ?? ''}|${operation ?? ''}`) {
    case 'virt|VM_status':
      return { kind: 'vm-status', vmId: id, fields: part(params, id), notifyTime };
    case 'virt|VM_migration_status':
      return { kind: 'vm-migration', vmId: id, fields: part(params, id), notifyTime };
    case 'jobs|status':
      return { kind: 'job-status', jobId: id, fields: params, notifyTime };
    case 'net|host_conn':
      return { kind: 'host-connectivity', notifyTime };
    default:
      return { kind: 'other', name, fields: params };
  }
}
