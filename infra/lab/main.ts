/**
 * `npm run lab`: a small oVirt on loopback that stays up. Prints one JSON line on standard output once it is ready.
 * Options: --managed, --bare, --engine-port N, --vdsm-port N (of the first host; the others are at N+2 and N+4), --speed N, --dir DIR, --vm-conf FILE.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { startLab } from './lab.ts';

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 65_534) return value;
  throw new InvalidArgumentError('a port is a whole number from 1 to 65533');
}

function speed(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1000) return value;
  throw new InvalidArgumentError('a number above 0, up to 1000');
}

interface Options {
  readonly managed: boolean;
  readonly bare: boolean;
  readonly enginePort?: number;
  readonly vdsmPort?: number;
  readonly speed: number;
  readonly dir?: string;
  readonly vmConf?: string;
}

const command = new Command('lab')
  .description(
    'A simulated oVirt on loopback: an engine, three VDSM hosts, shared storage. Not for production, by design.',
  )
  .option('--managed', 'start in the state after the upgrade', false)
  .option('--bare', 'hosts without a hosted engine, empty exports and an appliance, for an install', false)
  .option('--engine-port <port>', 'port of the engine', port)
  .option('--vdsm-port <port>', 'port of the first of the three hosts; the others are two further each', port)
  .option('--speed <factor>', 'lab seconds per second', speed, 1)
  .option('--dir <folder>', 'folder of the lab (default: a new one, removed at the end)')
  .option('--vm-conf <file>', 'vm.conf of the engine VM');

const options = command.parse().opts<Options>();
const dir = options.dir === undefined ? mkdtempSync(join(tmpdir(), 'bellwether-lab-')) : resolve(options.dir);
const lab = await startLab({
  dir,
  managed: options.managed,
  bare: options.bare,
  speed: options.speed,
  ...(options.enginePort === undefined ? {} : { enginePort: options.enginePort }),
  ...(options.vdsmPort === undefined ? {} : { vdsmPort: options.vdsmPort }),
  ...(options.vmConf === undefined ? {} : { vmConf: readFileSync(options.vmConf, 'utf8') }),
});
process.stdout.write(`${JSON.stringify(lab.ready)}\n`);

await new Promise<void>((end) => {
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
});
await lab.close();
if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
process.exit(0);
