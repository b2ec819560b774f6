/**
 * Status and doctor against a whole lab, through the real front door, a real worker and a real Temporal. With
 * UPDATE_REPLAY_HISTORIES=1 the histories of its two workflows are recorded anew.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { createApp, type FrontDoor } from '../../api/app.ts';
import { backupSteps } from '../../activities/backup.steps.ts';
import { backupLines } from '../../api/cli/backups.ts';
import { statusLines } from '../../api/cli/status-text.ts';
import { createClusterDesk } from '../../api/clusters/temporal-look.ts';
import type { ClusterDesk } from '../../api/clusters/ports.ts';
import type { ClusterStatus } from '../../api/clusters/status.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import { memoryPorts } from '../../api/testing/ports.ts';
import { backupListing } from '../../api/schemas/look.ts';
import { clusterStatus, doctorReport } from '../../api/schemas/status.ts';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import { labPaths } from '../../infra/lab/fixture.ts';
import { labSecrets, playRequest } from '../../infra/plays/play.ts';
import { startS3, type EmbeddedS3 } from '../../infra/s3/server.ts';
import { startService, type Service } from '../../infra/start/service.ts';
import { backupsId, examineId, lookId } from '../../workflows/model/look.ts';
import { DEFAULT_TIMING } from '../../workflows/model/operation.ts';
import { record } from '../histories/store.ts';
import { stepCall, stepContext } from '../faults/on-lab.ts';
import { eventually } from './stage.ts';
import './quiet.ts';

const CLUSTER = 'looked-at';
const LAB_SPEED = 20;
const DEADLINES = { serverDeadlineMs: 10_000, queryDeadlineMs: 10_000, updateDeadlineMs: 10_000 };

let dir: string;
let lab: Lab;
let s3: EmbeddedS3;
let service: Service;
let desk: ClusterDesk;
let secrets: string;
let app: FrontDoor;
let skewMs = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-look-'));
  [lab, s3] = await Promise.all([
    startLab({ dir: join(dir, 'lab'), speed: LAB_SPEED, cluster: CLUSTER, managed: true }),
    startS3({ dir: join(dir, 's3') }),
  ]);
  secrets = labSecrets(lab, dir, readFileSync(lab.ready.engine.passwordFile, 'utf8').trim());
  const { address, namespace } = inject('temporal');
  const stop = () => Promise.resolve();
  service = await startService({
    platform: { temporal: { address, namespace, origin: 'test' }, s3: { embedded: s3 }, stop },
    worker: {
      clusters: [{ name: CLUSTER, engine: lab.ready.engine, hosts: lab.ready.hosts }],
      bucket: 'bellwether-test',
      taskQueue: CLUSTER,
      logLevel: 'silent',
      tickets: undefined,
      timing: DEFAULT_TIMING,
      secretsDir: secrets,
    },
    door: { host: '127.0.0.1', port: 0, sources: [], apiTokenFile: undefined },
    logger: pino({ level: 'silent' }),
    workflowBundle: { code: readFileSync(inject('bundleFile'), 'utf8') },
  });
  desk = createClusterDesk(service.client, CLUSTER, DEADLINES);
  app = createApp({
    ...memoryPorts({}).ports,
    ...createTemporalPorts({ client: service.client, taskQueue: CLUSTER, serverDeadlineMs: 10_000 }),
    clusters: [CLUSTER],
    sources: [],
    clock: () => new Date(Date.now() + skewMs),
  });
  await service.counterparts.archive.ensureBucket();
});
afterAll(async () => {
  await service?.stop();
  await lab?.close();
  await s3?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The status by a look of now: the front door's clock goes on, so that no earlier one is shared. */
async function status(): Promise<ClusterStatus> {
  skewMs += 10_000;
  const answer = await app.request(`http://127.0.0.1/clusters/${CLUSTER}/status`);
  return clusterStatus.parse(await answer.json());
}

const host = (seen: ClusterStatus, name: string) => seen.hosts.find((one) => one.name === name);
const said = (seen: ClusterStatus) => seen.hosts.map(({ summary }) => summary);
const screen = (seen: ClusterStatus) => statusLines(seen).join('\n');

async function setGlobalMaintenance(): Promise<void> {
  const { version: _version, requestedBy, ...body } = playRequest(lab);
  const request = { ...body, operation: 'global-maintenance', mode: 'on', reason: 'a new switch' };
  const headers = { 'content-type': 'application/json', 'x-requested-by': requestedBy };
  const answer = await fetch(`${service.url}/operations`, { method: 'POST', headers, body: JSON.stringify(request) });
  expect(answer.status).toBe(202);
  const view = async () =>
    (await (await fetch(new URL(answer.headers.get('location') ?? '', service.url))).json()) as { state: string };
  await eventually('global maintenance', async () => (await view()).state === 'done');
}

/** Its certificate is one that has expired; it is another authority's, too. */
async function expireCertificate(name: string): Promise<void> {
  const day = (days: number) => new Date(Date.now() + days * 86_400_000);
  const dates = { keyType: 'ec', notBeforeDate: day(-20), notAfterDate: day(-10) } as const;
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], dates);
  const handle = lab.hosts.find((one) => one.name === name);
  await handle?.crash();
  writeFileSync(labPaths(lab.fixture.dir).hostCert(name), cert);
  writeFileSync(labPaths(lab.fixture.dir).hostKey(name), key);
  await handle?.start();
}

describe.sequential('a cluster as it goes through trouble', () => {
  test('healthy: nothing is missing, and two hosts may fail', async () => {
    const seen = await status();
    expect(seen.missing).toEqual([]);
    expect(seen.engine).toMatchObject({ healthy: true, version: expect.stringMatching(/^4\./) });
    expect(seen.engineVm).toMatchObject({ host: 'host1', status: 'Up', source: 'vdsm' });
    expect(new Set(seen.engineVm.places.map(({ source }) => source)).size).toBe(3);
    expect(seen.capacity.failures).toBe(2);
    expect(said(seen)).toEqual(Array(3).fill('Hosted Engine HA: Active (score: 3400)'));
    expect(seen.hosts.map(({ agent }) => agent)).toEqual(['reference', 'reference', 'reference']);
    expect([seen.lock, seen.globalMaintenance.on]).toEqual([{ queue: [] }, false]);
    // What a page that polls costs must stay small, in Temporal too.
    expect(JSON.stringify(seen).length).toBeLessThan(8000);
  });

  test('several who ask at once share one run; the run before it is removed, the last one stays', async () => {
    const removed = vi.spyOn(service.client.workflowService, 'deleteWorkflowExecution');
    const own = createClusterDesk(service.client, CLUSTER, DEADLINES);
    await Promise.all([own.look(CLUSTER), own.look(CLUSTER)]);
    expect(removed).not.toHaveBeenCalled();
    const { runId: first } = await service.client.workflow.getHandle(lookId(CLUSTER)).describe();
    await own.look(CLUSTER);
    const { runId: second } = await service.client.workflow.getHandle(lookId(CLUSTER)).describe();
    expect(second).not.toBe(first);
    expect(removed.mock.calls.map(([call]) => call.workflowExecution?.runId)).toEqual([first]);
    // The server takes its time to remove it, but must not refuse to.
    await expect(removed.mock.results[0]?.value).resolves.toBeDefined();
    removed.mockRestore();
  });

  test('the backups of the cluster: none, then the one that was taken', async () => {
    const ask = async () => backupListing.parse(await (await app.request(`/clusters/${CLUSTER}/backups`)).json());
    expect(backupLines(await ask())).toEqual([expect.stringContaining(`There is no backup of ${CLUSTER}`)]);
    const steps = backupSteps(service.counterparts);
    const call = { ...stepCall('backup'), cluster: CLUSTER };
    const { value: facts } = await steps.inspectStorage(stepContext, call);
    const { value: taken } = await steps.takeBackup(stepContext, { ...call, facts, phase: 'manual' });
    const listing = await ask();
    expect(listing.backups).toMatchObject([{ key: taken.manifestKey, phase: 'manual', operation: call.operationId }]);
    expect(backupLines(listing).join('\n')).toContain(`restore '${taken.manifestKey}' --cluster ${CLUSTER}`);
  });

  test('global maintenance: who, why and until are those of the operation', async () => {
    await setGlobalMaintenance();
    const seen = await status();
    expect(said(seen)).toEqual(Array(3).fill('Hosted Engine HA: Global Maintenance Enabled'));
    expect(seen.globalMaintenance).toMatchObject({
      on: true,
      setBy: 'operation',
      order: { id: `global-maintenance/${CLUSTER}/CHG0001234`, by: 'play', reason: 'a new switch' },
    });
    expect(seen.endings[0]?.operationId).toBe(seen.globalMaintenance.order?.id);
    expect(seen.capacity.failures).toBe(0);
    // Slots were seen to change between the looks.
    expect(seen.hosts.map(({ slot }) => slot?.lives)).toEqual([true, true, true]);
    expect(screen(seen)).toContain('by play');
  });

  test('a host and the engine down: what is left is shown, what is missing is named', async () => {
    await lab.hosts[2]?.crash();
    const vm = { vmID: lab.fixture.vm.id };
    await service.counterparts.clusters.get(CLUSTER).hosts.named('host1').call('VM.destroy', vm);
    const seen = await status();
    expect(seen.missing.map(({ what }) => what).toSorted()).toEqual(['VDSM of host3', 'engine, health page and API']);
    expect(seen.missing.every(({ why, remedy }) => why !== '' && remedy !== '')).toBe(true);
    expect(seen.engine.healthy).toBeUndefined();
    expect(host(seen, 'host3')).toMatchObject({ vdsm: { answers: false }, cannotRun: 'its VDSM does not answer' });
    expect(host(seen, 'host2')?.ha).toMatchObject({ active: true, source: 'vdsm' });
    expect(seen.globalMaintenance).toMatchObject({ on: true, setBy: 'operation' });
    const lines = statusLines(seen);
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.join('\n')).toContain('DOES NOT ANSWER');
  });

  test('the doctor finds the expired certificate, the silent host and the open secret', async () => {
    await expireCertificate('host2');
    chmodSync(join(secrets, 'lab-host-root'), 0o644);
    const report = doctorReport.parse(await (await fetch(`${service.url}/clusters/${CLUSTER}/doctor`)).json());
    const of = (check: string) => report.findings.find((one) => one.check === check);
    expect(report).toMatchObject({ result: 'failed', missing: [] });
    expect(of('certificate of host2')).toMatchObject({
      result: 'failed',
      seen: expect.stringContaining('10 days ago'),
    });
    expect(of('VDSM of host3')).toMatchObject({ result: 'failed', seen: expect.stringContaining('nothing listens') });
    expect(of('secret lab-host-root')).toMatchObject({ result: 'failed', seen: expect.stringContaining('644') });
    expect(of('health page')?.result).toBe('failed');
    const fine = [
      'certificate of host1',
      'secret lab-engine-admin',
      'bucket bellwether-test',
      'conditional writes',
      'versions',
      'worker',
      'search attributes',
      'metadata volume',
    ];
    expect(fine.filter((check) => of(check)?.result !== 'ok')).toEqual([]);
    expect(report.findings.filter(({ result, remedy }) => result !== 'ok' && remedy === undefined)).toEqual([]);
    expect(await service.counterparts.archive.list('probe/')).toEqual([]);
  });

  test('without a worker it is said so, and nothing is waited for', async () => {
    const alone = createClusterDesk(service.client, 'a queue that nobody polls', DEADLINES, 300);
    expect(await alone.look('nobody')).toMatchObject({
      outcome: 'no-worker',
      why: expect.stringContaining('no worker polls the queue'),
    });
    expect((await alone.examineTemporal()).find(({ check }) => check === 'worker')?.result).toBe('failed');
    await service.client.workflow.getHandle(lookId('nobody')).terminate();
  });

  test('a cluster that the worker does not know: why, and what to do', async () => {
    const reply = await desk.look('Other');
    expect(reply).toMatchObject({
      outcome: 'failed',
      missing: { why: `it knows ${CLUSTER}`, remedy: expect.stringContaining('BELLWETHER_CLUSTERS_FILE') },
    });
  });
});

describe.runIf(process.env['UPDATE_REPLAY_HISTORIES'] === '1')('recorded anew', () => {
  test('a look, one that failed, an examination and a list', async () => {
    await desk.look(CLUSTER);
    await desk.examine(CLUSTER);
    await desk.look('Other');
    const history = (id: string) => service.client.workflow.getHandle(id).fetchHistory();
    record('lookAtCluster', 'seen', await history(lookId(CLUSTER)));
    record('lookAtCluster', 'unknown-cluster', await history(lookId('Other')));
    record('examine', 'examined', await history(examineId(CLUSTER)));
    await desk.backups(CLUSTER);
    record('listBackups', 'listed', await history(backupsId(CLUSTER)));
  });
});
