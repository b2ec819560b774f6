/**
 * The inside of the engine VM: this process *is* the engine. While it lives the API answers; killed, it is gone, and its
 * database is what the next start finds.
 *
 *     node --import tsx infra/lab/engine/main.ts --dir DIR [--health-port N] [--auto-import]
 *
 * Reads `DIR/lab.json`; listens on the fixture's engine address and port. SIGTERM, or the end of standard input when it
 * is a pipe (the lab died), stops it cleanly.
 */
import { fstatSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { LabClock } from '../clock.ts';
import type { LabFixture } from '../fixture.ts';
import { labPaths } from '../fixture.ts';
import { labKey, startEngine } from './engine.ts';
import { boot, type Guest } from './first-boot.ts';
import { VdsmGateway } from './gateway-vdsm.ts';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    'health-port': { type: 'string' },
    'auto-import': { type: 'boolean', default: false },
  },
});

/** The file is written by the lab itself, from a typed fixture. */
function readFixture(file: string): LabFixture {
  return JSON.parse(readFileSync(file, 'utf8')) as LabFixture;
}

/** A bare lab's engine is what lies on its VM's disk; without a set-up there is none, and the VM idles. */
async function insideVm(fixture: LabFixture): Promise<Guest | undefined> {
  const { LAB_VM_DISK: disk, LAB_VM_PAYLOAD: payload } = process.env;
  if (fixture.bare !== true || disk === undefined) return undefined;
  const clock = new LabClock(fixture.speed);
  // Until there is an engine that ends in order: the end of its input is the end of the lab.
  const end = () => process.exit(0);
  process.once('SIGTERM', end);
  if (isPipe()) process.stdin.resume().once('end', end);
  const guest = await boot(disk, payload, (labMs) => clock.sleep(labMs));
  if (guest === undefined) await new Promise(() => {});
  process.off('SIGTERM', end);
  process.stdin.off('end', end);
  return guest;
}

async function main(dir: string): Promise<void> {
  const paths = labPaths(dir);
  const fixture = { ...readFixture(paths.fixture), dir };
  const healthPort = values['health-port'];
  const guest = await insideVm(fixture);
  const engine = await startEngine({
    fixture,
    gateway: new VdsmGateway(fixture, guest?.postTasks),
    tls: {
      ca: readFileSync(paths.ca, 'utf8'),
      cert: readFileSync(paths.engineCert, 'utf8'),
      key: readFileSync(paths.engineKey, 'utf8'),
    },
    password: guest?.adminPassword ?? readFileSync(fixture.engine.passwordFile, 'utf8').trim(),
    labKey: labKey(`${dir}/engine/lab-key`, `${dir}/engine`),
    database: guest?.database ?? paths.engineDatabase,
    autoImport: values['auto-import'],
    log: (line) => process.stderr.write(`${new Date().toISOString()} ${line}\n`),
    ...(healthPort !== undefined && { healthPort: Number(healthPort) }),
  });
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    engine.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  if (isPipe()) process.stdin.resume().on('end', end);
  process.stdout.write(`engine listens on ${engine.url}\n`);
}

/** The lab keeps the writing end of a pipe: it closes when the lab dies. A terminal or /dev/null says nothing. */
function isPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

if (values.dir === undefined) {
  process.stderr.write(
    'usage: node --import tsx infra/lab/engine/main.ts --dir DIR [--health-port N] [--auto-import]\n',
  );
  process.exit(2);
}
main(values.dir).catch((error: unknown) => {
  process.stderr.write(`engine: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
