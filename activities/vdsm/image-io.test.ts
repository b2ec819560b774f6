import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestLab, type TestLab } from '../../infra/lab/vdsm/lab-for-tests.ts';
import { labPaths } from '../../infra/lab/fixture.ts';
import { freePortPairs } from '../../infra/processes.ts';
import { CounterpartError } from '../errors.ts';
import { VdsmClient } from './client.ts';
import { readRange, writeRange, type ImageVolume } from './image-io.ts';

const { signal } = new AbortController();
const SLOT = 4096;
let lab: TestLab;
let client: VdsmClient;
let metadata: ImageVolume;

beforeAll(async () => {
  const [port = 0] = await freePortPairs(1);
  lab = await startTestLab(1, {
    hosts: [{ id: 'h1', name: 'host1', address: '127.0.0.1', vdsmPort: port, spmId: 1, hardwareUuid: 'w1' }],
  });
  const { ca, clientCert, clientKey } = labPaths(lab.fixture.dir);
  client = new VdsmClient({ name: 'host1', address: '127.0.0.1', port, ca, cert: clientCert, key: clientKey });
  const { image, volume } = lab.fixture.heDisks.metadata;
  metadata = { domain: lab.fixture.heDomain.id, image, volume };
});

afterAll(async () => {
  await client?.close();
  await lab?.close();
});

test('writes one slot in place: its neighbours and the size of the volume stay', async () => {
  lab.host(1).agent.stop(true);
  const size = lab.storage.volume(metadata.domain, metadata.image, metadata.volume)?.apparentSize;
  lab.storage.setGlobalMaintenance(true);
  const own = lab.storage.hostBlock(1);
  const block = Buffer.alloc(SLOT, 'x');
  await writeRange(client, metadata, 2 * SLOT, block, { signal });
  expect(await readRange(client, metadata, { offset: 2 * SLOT, length: SLOT }, { signal })).toEqual(block);
  expect(await readRange(client, metadata, { offset: 3 * SLOT, length: SLOT }, { signal })).toEqual(Buffer.alloc(SLOT));
  expect(lab.storage.hostBlock(1)).toEqual(own);
  expect(lab.storage.globalMaintenance()).toBe(true);
  expect(lab.storage.volume(metadata.domain, metadata.image, metadata.volume)?.apparentSize).toBe(size);
  expect(lab.host(1).state.imageTickets.size).toBe(0);
});

test('says what to look at when the daemon refuses', async () => {
  const behind = readRange(client, metadata, { offset: 128 * 2 ** 20, length: SLOT }, { signal });
  await expect(behind).rejects.toSatisfy(
    (error) =>
      error instanceof CounterpartError &&
      error.facts.type === 'vdsm/imageio' &&
      error.facts.why.includes('416') &&
      error.facts.remedy.includes('54322'),
  );
  expect(lab.host(1).state.imageTickets.size).toBe(0);
});

test('a write that nobody takes may have happened all the same', async () => {
  const nobody = new VdsmClient({ ...client.peer });
  lab.host(1).state.imageTickets.set = () => lab.host(1).state.imageTickets;
  await expect(writeRange(nobody, metadata, SLOT, Buffer.alloc(SLOT), { signal })).rejects.toSatisfy(
    (error) =>
      error instanceof CounterpartError && error.facts.outcomeUnknown === true && error.facts.why.includes('403'),
  );
  await nobody.close();
});
