/** The other side of the wire: Python's own XML-RPC client, which VDSM and `hosted-engine` use. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatGlobalBlock } from '../../../activities/storage/whiteboard.ts';
import { startBroker, type Broker } from './server.ts';
import { hostSlot, TestPort } from './testing.ts';

const python = spawnSync('python3', ['-c', 'import xmlrpc.client']).status === 0;
if (!python) process.stdout.write('skipped: the broker’s socket with Python’s client (no python3 here)\n');

const CLIENT = `
import http.client, json, socket, sys, xmlrpc.client
from xmlrpc.client import Binary, Fault, ServerProxy, Transport

class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(sys.argv[1])

class Unix(Transport):
    def make_connection(self, host):
        return Connection('broker')

broker = ServerProxy('http://broker', transport=Unix(), allow_none=True)
said = {}
stats = broker.get_stats()
said['ids'] = sorted(stats)
said['sizes'] = sorted(len(b.data) for b in stats.values())
said['host1'] = stats['1'].data.decode().split('|')[6]
said['before'] = stats['0'].data.decode().rstrip('\\0')
said['put'] = broker.put_stats(0, Binary('maintenance=1'.ljust(4096, '\\0').encode()))
said['after'] = broker.get_stats()['0'].data.decode().rstrip('\\0')
said['push'] = broker.push_hosts_state([1, 2])
said['alive'] = broker.is_host_alive()
said['monitor'] = broker.start_monitor('network', {'addr': '192.0.2.1', 'network_test': None})
said['status'] = broker.status_monitor('network')
said['none'] = broker.reset_lockspace()
try:
    broker.no_such_method()
except Fault as fault:
    said['fault'] = [fault.faultCode, fault.faultString]
print(json.dumps(said))
`;

let directory: string;
let broker: Broker;
const port = new TestPort();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bellwether-broker-'));
  broker = await startBroker({ port, place: { path: join(directory, 'broker.socket') } });
});
afterAll(async () => {
  await broker.close();
  rmSync(directory, { recursive: true });
});

it.skipIf(!python)('Python’s client reads the hosts and sets global maintenance', async () => {
  port.slots.set(2000, hostSlot(2000));
  const run = promisify(execFile);
  const { stdout } = await run('python3', ['-c', CLIENT, join(directory, 'broker.socket')], { timeout: 15_000 });
  expect(JSON.parse(stdout)).toEqual({
    ids: ['0', '1', '2', '2000'],
    sizes: [4096, 4096, 4096, 4096],
    host1: 'node-1.example.test',
    before: 'maintenance=0',
    put: 'ok',
    after: 'maintenance=1',
    push: 'ok',
    alive: [1, 2],
    monitor: 'network',
    status: 'None',
    none: null,
    fault: [1, 'method "no_such_method" is not supported'],
  });
  expect(port.slots.get(0)).toEqual(formatGlobalBlock(true));
});
