/** Our worker on a host in the place of the reference's services: guards, repetition, and the way back, on a whole lab. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addHostSteps } from '../../activities/add-host.steps.ts';
import { removeHostSteps } from '../../activities/remove-host.steps.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import { labPaths } from '../../infra/lab/fixture.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { hostKeyFingerprint } from '../../infra/lab/machine/keys.ts';
import { serveByWorker } from '../../infra/plays/host-worker.ts';
import { spareOf } from '../../infra/plays/hosts.ts';
import { HOST_KEY_SECRET, HOST_ROOT_SECRET } from '../../infra/plays/play.ts';
import { ensureHostBundle } from '../../infra/start/host-bundle.ts';
import { onLab, refusal, stepCall, stepContext as context } from './on-lab.ts';

const LIMIT_MS = 300_000;
const access = { kind: 'public-key' } as const;
const byKey = { access, sshKeySecret: HOST_KEY_SECRET };
const CONF = '/etc/bellwether-host.conf';

/** host3 is a hosted-engine host with the reference's services; the engine VM runs on host1. */
function wanted(lab: Lab, name: string, ssh: object = {}) {
  const host = lab.fixture.hosts.find((one) => one.name === name) ?? spareOf(lab);
  const { address, vdsmPort, sshPort = 0 } = host;
  const call = { ...stepCall('add-host'), host: name, address, vdsmPort, access, agent: 'bellwether' } as const;
  return { ...call, ssh: { ...byKey, sshPort, ...ssh } };
}

const onHost = (lab: Lab, name: string, path: string) => join(labPaths(lab.fixture.dir).hostDir(name), 'root', path);

async function refusals(lab: Lab, counterparts: Counterparts): Promise<void> {
  const { inspectNewHost } = addHostSteps(counterparts);
  const refused = (name: string, ssh: object) => refusal(inspectNewHost(context, wanted(lab, name, ssh)));
  const fingerprint = hostKeyFingerprint(lab.fixture, 'host1') ?? '';
  // It shows its own, not that of another machine.
  expect(await refused('host4', { sshFingerprint: fingerprint })).toMatchObject({ type: 'ssh/host-key-mismatch' });
  expect(await refused('host3', { sshKeySecret: HOST_ROOT_SECRET })).toMatchObject({ type: 'ssh/key-unusable' });
  expect(await refused('host3', { sshKeySecret: 'none-such' })).toMatchObject({ type: 'configuration/secret' });
  const bare = addHostSteps({ ...counterparts, hostWorker: { bundle: '/none', unit: '/none', conf: '/none' } });
  const missing = await refusal(bare.inspectNewHost(context, wanted(lab, 'host3')));
  expect(missing).toMatchObject({ type: 'configuration/host-worker', subject: '/none' });
  expect(missing.remedy).toContain('npm run bundle');
  // Of a host that nobody knows yet the way there is tried, and nothing is sent.
  const unknown = await inspectNewHost(context, wanted(lab, 'host4'));
  expect(unknown.notes?.[0]).toContain(hostKeyFingerprint(lab.fixture, 'host4'));
}

/** As the matrix does not: everything twice, what an administrator changed, and back. */
async function thereAndBack(lab: Lab, counterparts: Counterparts): Promise<void> {
  const steps = addHostSteps(counterparts);
  const { value: facts, notes } = await steps.inspectNewHost(context, wanted(lab, 'host3'));
  expect(notes?.[0]).toContain('over SSH: Node, systemd and space are as they must be');
  expect(facts.deployed).toBe(true);
  const input = { ...stepCall('add-host'), facts, ssh: byKey };
  expect((await steps.inspectWorkerHost(context, input)).value).toEqual({ before: 'reference' });
  const put = () => steps.putWorkerFiles(context, input);
  const swap = () => steps.swapServices(context, input);
  expect(await put()).toMatchObject({ done: 'now', value: true });
  expect(await put()).toMatchObject({ done: 'before', value: false });
  expect(await swap()).toMatchObject({ done: 'now', value: true });
  expect(await swap()).toMatchObject({ done: 'before', value: false });
  expect((await steps.inspectWorkerHost(context, input)).value).toEqual({ before: 'bellwether' });
  const [line] = (await steps.verifyHostWorker(context, input)).value;
  expect(line).toMatch(/^storage: slot 3 is written by Bellwether’s worker on host3, score [1-9]/);

  // A damaged bundle is put right, with the worker stopped meanwhile; a configuration that somebody changed is kept.
  writeFileSync(onHost(lab, 'host3', '/usr/lib/bellwether-host/bellwether-host.mjs'), 'damaged');
  writeFileSync(onHost(lab, 'host3', CONF), 'priority=7\n');
  expect((await put()).summary).not.toContain(CONF);
  expect(lab.world.hosts.get('host3')?.haServices()).toBe('none');
  expect(await swap()).toMatchObject({ done: 'now' });

  expect(await steps.withdrawWorker(context, input)).toMatchObject({ done: 'now' });
  expect(readFileSync(onHost(lab, 'host3', CONF), 'utf8')).toBe('priority=7\n');
  expect(existsSync(onHost(lab, 'host3', '/usr/lib/bellwether-host'))).toBe(false);
  expect(existsSync(onHost(lab, 'host3', '/etc/systemd/system/bellwether-host.service'))).toBe(false);
  expect(lab.world.hosts.get('host3')?.haServices()).toBe('reference');
  rmSync(onHost(lab, 'host3', CONF));
  expect(await steps.withdrawWorker(context, input)).toMatchObject({ done: 'before' });
}

/** Nobody would speak for the engine VM in the moments between the two. */
async function underTheEngineVm(lab: Lab, counterparts: Counterparts): Promise<void> {
  const steps = addHostSteps(counterparts);
  const { value: facts } = await steps.inspectNewHost(context, wanted(lab, 'host1'));
  const input = { ...stepCall('add-host'), facts, ssh: byKey };
  await steps.putWorkerFiles(context, input);
  expect(await refusal(steps.swapServices(context, input))).toMatchObject({ type: 'host/engine-vm-here' });
  expect(lab.world.hosts.get('host1')?.haServices()).toBe('reference');
}

/** Before the host is removed the reference's services are put back, which the engine knows how to take away. */
async function leaves(lab: Lab, counterparts: Counterparts): Promise<void> {
  const haServices = () => lab.world.hosts.get('host3')?.haServices();
  const steps = removeHostSteps(counterparts);
  const question = { ...stepCall('remove-host'), host: 'host3' };
  expect((await steps.inspectLeavingHost(context, question)).value?.ours).toBeUndefined();
  await serveByWorker(lab, 'host3', 3);
  expect(await refusal(steps.inspectLeavingHost(context, question))).toMatchObject({
    type: 'host/worker-serves',
    kind: 'needs-operator',
    remedy: expect.stringContaining('--ssh-key-secret'),
  });
  const { value: facts } = await steps.inspectLeavingHost(context, { ...question, ssh: byKey });
  if (facts === null) throw new Error('the lab has no host3');
  const input = { ...stepCall('remove-host'), facts, ssh: byKey };
  expect(await steps.withdrawWorker(context, input)).toMatchObject({ done: 'now' });
  expect(haServices()).toBe('reference');
  expect(await steps.restoreWorker(context, input)).toMatchObject({ done: 'now' });
  expect(haServices()).toBe('bellwether');
  expect(await steps.restoreWorker(context, input)).toMatchObject({ done: 'before' });
  await steps.withdrawWorker(context, input);
  // One that the reference served keeps its services.
  const { ours: _ours, ...theirs } = facts;
  expect(await steps.restoreWorker(context, { ...input, facts: theirs })).toMatchObject({ done: 'before' });
  expect(haServices()).toBe('reference');
}

test('our worker takes the place of the reference’s services, and gives it back', { timeout: LIMIT_MS }, async () => {
  await onLab({ managed: true, spare: 1 }, async (lab, counterparts) => {
    await ensureHostBundle(counterparts.hostWorker);
    await refusals(lab, counterparts);
    await underTheEngineVm(lab, counterparts);
    await thereAndBack(lab, counterparts);
    await leaves(lab, counterparts);
    const engine = labEngine(lab);
    expect((await engine.hosts()).map(({ name }) => name)).toEqual(['host1', 'host2', 'host3']);
    await engine.close();
  });
});
