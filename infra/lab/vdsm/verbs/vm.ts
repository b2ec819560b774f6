/** `VM.*` (vdsm.md 8). */
import { fail } from '../errors.ts';
import type { HostState } from '../host-state.ts';
import type { Params } from '../params.ts';
import type { Json } from '../python.ts';
import { type VerbTable, verb } from './verb.ts';

/** Default time a guest gets before a forced shutdown, seconds. */
const SHUTDOWN_TIMEOUT_S = 120;

/** The UUID is taken from the XML; `vmID` is not looked at. Old vm.conf parameters alone start nothing. */
function create(host: HostState, params: Params): Json {
  const { xml } = params.object('vmParams');
  if (typeof xml !== 'string') throw fail.general("'xml'");
  const vm = host.createVm(xml);
  return { ...vm.short(), xml: vm.xml };
}

async function destroy(host: HostState, params: Params): Promise<Json> {
  const vm = host.requireVm(params.text('vmID'));
  await vm.destroy();
  host.vms.delete(vm.id);
  return true;
}

function shutdown(host: HostState, params: Params): Json {
  const vm = host.requireVm(params.text('vmID'));
  const timeout = Number(params.optional('timeout') ?? SHUTDOWN_TIMEOUT_S);
  vm.shutdown(timeout * 1000, params.flag('force'));
  return true;
}

/** Lab hosts share an address and differ by port; a name works too. */
function destinationOf(host: HostState, dst: string): HostState | undefined {
  const [, address = dst, port = '54321'] = /^(.*?)(?::(\d+))?$/.exec(dst) ?? [];
  const others = [...host.world.hosts.values()];
  return others.find(
    (other) => other.name === address || (other.config.address === address && other.port === Number(port)),
  );
}

function migrate(host: HostState, params: Params): Json {
  const vm = host.requireVm(params.text('vmID'));
  if (vm.status === 'WaitForLaunch' || vm.status === 'Down') throw fail.noSuchVm();
  const { dst } = params.object('params');
  const destination = destinationOf(host, typeof dst === 'string' ? dst : '');
  void vm.migrateTo(destination === host ? undefined : destination);
  return true;
}

function migrationStatus(host: HostState, params: Params): Json {
  const vm = host.requireVm(params.text('vmID'));
  const status = vm.migrationError ?? { code: 0, message: 'Migration in progress' };
  return { status, progress: vm.migrationProgress };
}

function updateDevice(host: HostState, params: Params): Json {
  const vm = host.requireVm(params.text('vmID'));
  if (params.object('params')['deviceType'] !== 'graphics') throw fail.notImplemented();
  vm.ticket = true;
  return {};
}

export const vmVerbs: VerbTable = {
  'VM.create': verb('vmID vmParams', create),
  'VM.getStats': verb('vmID', (host, params) => [host.requireVm(params.text('vmID')).stats()]),
  'VM.getInfo': verb('vmID', (host, params) => host.requireVm(params.text('vmID')).short()),
  'VM.shutdown': verb('vmID delay message reboot timeout force', shutdown),
  'VM.destroy': verb('vmID gracefulAttempts', destroy),
  'VM.migrate': verb('vmID params', migrate),
  'VM.getMigrationStatus': verb('vmID', migrationStatus),
  'VM.migrateCancel': verb('vmID', (host, params) => {
    host.requireVm(params.text('vmID')).cancelMigration();
    return true;
  }),
  'VM.updateDevice': verb('vmID params', updateDevice),
  'VM.setTicket': verb('vmID password ttl existingConnAction params', (host, params) => {
    host.requireVm(params.text('vmID')).ticket = true;
    return true;
  }),
  'VM.pause': verb('vmID', (host, params) => {
    host.requireVm(params.text('vmID')).pause();
    return { vmList: {} };
  }),
  'VM.cont': verb('vmID', (host, params) => {
    const vm = host.requireVm(params.text('vmID'));
    if (vm.status === 'Down') throw fail.unexpected();
    vm.resume();
    return { vmList: {} };
  }),
};
