/** An install's refusals, what it keeps for a retry, and what an abort takes back; each on a bare lab of its own. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Counterparts } from '../../activities/counterparts.ts';
import { awaitEngine } from '../../activities/engine/await-engine.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import { labPaths } from '../../infra/lab/fixture.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { INSTALL, installAnswers } from '../../infra/plays/install.ts';
import { playRequest } from '../../infra/plays/play.ts';
import { until } from '../../infra/processes.ts';
import type { InstallAnswers, InstallRequest } from '../../workflows/model/requests.ts';
import { runInstall } from '../../workflows/install/install.ts';
import { boundSteps, InstallRunner, StoppedHere } from './install-runner.ts';
import { onLab, refusal, stepCall, stepContext } from './on-lab.ts';

const BARE = { bare: true } as const;
const call = stepCall('install');

async function forwardTo(
  last: string,
  lab: Lab,
  counterparts: Counterparts,
  change: Partial<InstallAnswers> = {},
): Promise<InstallRunner> {
  const runner = new InstallRunner(counterparts, last);
  const request: InstallRequest = { ...playRequest(lab), operation: 'install', answers: installAnswers(lab, change) };
  await runInstall(runner, call, request).catch((error: unknown) => {
    if (!(error instanceof StoppedHere)) throw error;
  });
  return runner;
}

/** The plan, and what lies between the preflight and the step that a test is about. */
async function planned(lab: Lab, counterparts: Counterparts, change: Partial<InstallAnswers> = {}) {
  const steps = boundSteps(counterparts);
  const answers = installAnswers(lab, change);
  const { value: plan } = await steps.preflight({ ...call, answers });
  return { steps, input: { ...call, answers, plan } };
}

function host1(lab: Lab) {
  const host = lab.world.hosts.get('host1');
  if (host === undefined) throw new Error('the lab has no host1');
  return host;
}

describe('before anything is touched', { timeout: 180_000 }, () => {
  test('all that is wrong is named at once, each with its remedy', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { fixture, storage } = lab;
      storage.createDomain(fixture.masterDomain);
      const good = installAnswers(lab);
      const answers: InstallAnswers = {
        ...good,
        host: { ...good.host, bridgeInterface: 'eth7' },
        storage: { ...good.storage, path: '/exports/nowhere' },
        vm: { ...good.vm, vcpus: 64, memoryMiB: 60_000 },
        adminPasswordSecret: 'nobody-has-it',
        networkTest: { kind: 'tcp', address: '127.0.0.1', port: 1 },
        appliance: { ...good.appliance, sha256: '0'.repeat(64) },
      };
      const before = await INSTALL.outside(lab, counterparts.archive);
      const facts = await refusal(boundSteps(counterparts).preflight({ ...call, answers }));
      expect(facts).toMatchObject({ type: 'install/preflight', kind: 'needs-operator' });
      for (const part of [
        '64 virtual CPUs were asked for, host1 has 16',
        '60000 MiB were asked for, host1 has 47688 MiB to give',
        'host1 has no interface eth7',
        'the network test tcp fails',
        '/exports/nowhere: host1 can’t mount it',
        'a storage domain lies on storage.example.test:/exports/data already: data (',
        'not the one that was asked for',
        'secret nobody-has-it',
      ])
        expect(facts.why).toContain(part);
      expect(facts.why.match(/\(\d+\)/g)).toHaveLength(8);
      expect(facts.remedy.match(/\(\d+\)/g)).toHaveLength(8);
      expect(host1(lab).mounts.size).toBe(0);
      expect(await INSTALL.outside(lab, counterparts.archive)).toEqual(before);
    });
  });

  test('a host that has a hosted engine is left alone', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      writeFileSync(labPaths(lab.fixture.dir).appliance, 'image');
      const facts = await refusal(boundSteps(counterparts).preflight({ ...call, answers: installAnswers(lab) }));
      expect(facts.why).toContain('host1 has a hosted engine already');
      expect(facts.why).toContain('host1 belongs to the data center');
      expect(facts.why).toContain('host1 runs VMs already');
      expect(facts.why).toContain('already: HTTP 200 DB Up!');
      expect(await lab.engineAnswers()).toBe(true);
    });
  });
});

describe('storage and disk', { timeout: 180_000 }, () => {
  test('too little space takes the new domain away again', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { steps, input } = await planned(lab, counterparts);
      await lab.inject({ kind: 'storage-full', times: 1 });
      const facts = await refusal(steps.createHostedEngineDomain(input));
      expect(facts).toMatchObject({ type: 'storage/too-small', kind: 'needs-operator' });
      expect(facts.why).toContain('0 GiB are free, 71 are needed');
      expect(lab.storage.domains()).toEqual([]);
    });
  });

  test('an upload that broke off is found out and begun anew; a finished one is not repeated', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { steps, input } = await planned(lab, counterparts);
      await steps.createHostedEngineDomain(input);
      await steps.createHostedEngineVolumes(input);
      await lab.inject({ kind: 'vdsm-cut', verb: 'PUT', times: 1 });
      expect(await refusal(steps.fetchAppliance(input))).toMatchObject({ kind: 'retryable', outcomeUnknown: true });
      expect((await steps.fetchAppliance(input)).done).toBe('now');
      expect((await steps.fetchAppliance(input)).done).toBe('before');
      const disk = lab.storage.volume(input.plan.domain, input.plan.disk.image, input.plan.disk.volume);
      expect(disk?.apparentSize).toBe(61 * 2 ** 30);
    });
  });

  test('the appliance may lie in S3, and another image than the one that was asked for is refused', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { archive } = counterparts;
      await archive.ensureBucket();
      const image = readFileSync(labPaths(lab.fixture.dir).appliance);
      await archive.putOnce('images/appliance.raw', image);
      const source = `s3://${archive.bucket}/images/appliance.raw`;
      const { sha256 } = installAnswers(lab).appliance;
      const { steps, input } = await planned(lab, counterparts, { appliance: { source, sha256 } });
      await steps.createHostedEngineDomain(input);
      await steps.createHostedEngineVolumes(input);
      const wrong = { ...input.answers, appliance: { source, sha256: '1'.repeat(64) } };
      expect(await refusal(steps.fetchAppliance({ ...input, answers: wrong }))).toMatchObject({
        type: 'appliance/wrong-content',
        kind: 'needs-operator',
      });
      expect((await steps.fetchAppliance(input)).done).toBe('now');
    });
  });

  test('a VM whose disk does not hold the appliance is no engine', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { steps, input } = await planned(lab, counterparts);
      await steps.createHostedEngineDomain(input);
      await steps.createHostedEngineVolumes(input);
      await steps.releasePool(input);
      await steps.startEngineVm(input);
      await until('the VM to be up', async () => host1(lab).vms.get(input.plan.vm)?.status === 'Up', 60_000);
      expect(host1(lab).vms.get(input.plan.vm)?.pid).toBeUndefined();
      expect(await lab.engineAnswers()).toBe(false);
    });
  });
});

describe('aborting', { timeout: 300_000 }, () => {
  test('with the engine up and the domain imported: all that the run made is gone, twice does no harm', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const before = await INSTALL.outside(lab, counterparts.archive);
      const runner = await forwardTo('await-domain', lab, counterparts);
      expect(runner.ran.get('await-domain')).toBeDefined();
      expect(await runner.takeBack()).toEqual(['now', 'now', 'before', 'now']);
      // What the engine's deployment left on the host can be removed only there; the abort says how.
      expect(await INSTALL.outside(lab, counterparts.archive)).toEqual({ ...before, 'hosted engine on host1': true });
      expect(host1(lab).localMaintenance).toBe(true);
      expect(lab.world.poolId).toBe('');
      expect(await runner.takeBack()).toEqual(['before', 'now', 'before', 'before']);
    });
  });

  test('a data domain that somebody else added stays', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { masterDomain: _, ...answers } = installAnswers(lab);
      const runner = new InstallRunner(counterparts, 'master-domain');
      const request: InstallRequest = { ...playRequest(lab), operation: 'install', answers };
      const asked = await refusal(runInstall(runner, call, request));
      expect(asked).toMatchObject({ type: 'engine/no-master-domain', kind: 'needs-operator' });
      expect(asked.remedy).toContain('Storage, Domains, New Domain; data center Default');
      const { server: address, path, name } = lab.fixture.masterDomain;
      const engine = labEngine(lab);
      try {
        const made = await engine.importFileStorageDomain({ name, host: 'host1', storageType: 'nfs', address, path });
        const [dataCenter] = await engine.dataCenters();
        await engine.attachStorageDomain(dataCenter?.id ?? '', made.id);
        await until('the data center', async () => (await engine.dataCenters())[0]?.status === 'up', 60_000);
      } finally {
        await engine.close();
      }
      const again = new InstallRunner(counterparts, 'master-domain');
      await runInstall(again, call, request).catch((error: unknown) => error);
      // The preflight sees what the first run made: only the operation itself, parked, may go on from here.
      expect(again.ran.size).toBe(0);
      await runner.takeBack();
      expect(lab.storage.domains().map(({ metadata }) => metadata.name)).toEqual([name]);
      expect(host1(lab).poolConnected).toBe(false);
    });
  });
});

describe('installed', { timeout: 300_000 }, () => {
  test('it is as it must be, and the host’s HA agent brings the engine back when its VM dies', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const runner = await forwardTo('back-up', lab, counterparts);
      expect([...runner.ran.values()]).not.toContain('before');
      const settled = async () => isDeepStrictEqual(await INSTALL.outside(lab, counterparts.archive), INSTALL.expected);
      await until('the end to settle', settled, 60_000);
      const vm = host1(lab).vms.get(lab.fixture.vm.id);
      process.kill(vm?.pid ?? 0, 'SIGKILL');
      await until('the engine to be gone', async () => !(await lab.engineAnswers()), 60_000);
      await until('the engine to be back as it was', settled, 90_000);
    });
  });
});

/** The engine's health page is good, then bad once: so often it is looked at again until it counts as healthy. */
async function looksAfterABadAnswer(
  lab: Lab,
  counterparts: Counterparts,
  input: Parameters<ReturnType<typeof awaitEngine>>[1],
): Promise<number> {
  let looks: number | undefined;
  let wasGood = false;
  const sleep = async (milliseconds: number) => {
    await stepContext.sleep(milliseconds);
    // The lab looks at the same page: once the bad answer is set up, it is for the step alone.
    if (looks !== undefined) looks += 1;
    else if (wasGood) {
      const bad = { status: 503, reason: 'Service Unavailable', detail: 'DB Down!', times: 1 };
      await lab.inject({ kind: 'engine-error', match: 'GET /ovirt-engine/services/health', ...bad });
      looks = 0;
    }
    if (looks === undefined) wasGood = await lab.engineAnswers();
  };
  await awaitEngine(counterparts)({ ...stepContext, sleep }, input);
  return looks ?? Number.NaN;
}

describe('the first host', { timeout: 180_000 }, () => {
  test('a failed installation stops the step at once with the engine’s events; a retry installs again', async () => {
    await onLab(BARE, async (lab, counterparts) => {
      const { steps, input } = await planned(lab, counterparts);
      await steps.createHostedEngineDomain(input);
      await steps.createHostedEngineVolumes(input);
      await steps.fetchAppliance(input);
      await steps.writeHostedEngineConfiguration(input);
      await steps.releasePool(input);
      await steps.startEngineVm(input);
      expect(await looksAfterABadAnswer(lab, counterparts, input)).toBe(5);
      const { value: facts } = await steps.prepareDataCenter(input);
      // The lockspace can't be initialised: the deployment's last tasks fail.
      const lockspace = lab.storage.volumePath(
        input.plan.domain,
        input.plan.lockspace.image,
        input.plan.lockspace.volume,
      );
      const aside = `${lockspace}.aside`;
      renameSync(lockspace, aside);
      const failed = await refusal(steps.addFirstHost({ ...input, facts }));
      expect(failed).toMatchObject({ type: 'engine/install-failed', kind: 'needs-operator' });
      expect(failed.why).toContain('event 505: Host host1 installation failed');
      renameSync(aside, lockspace);
      expect((await steps.addFirstHost({ ...input, facts })).done).toBe('now');
      expect((await steps.addFirstHost({ ...input, facts })).done).toBe('before');
      expect(existsSync(`${labPaths(lab.fixture.dir).hostDir('host1')}/hosted-engine.conf`)).toBe(true);
    });
  });
});
