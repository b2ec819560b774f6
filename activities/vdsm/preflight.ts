/** Step: everything that can be seen before an install touches anything, and all that is wrong at once. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { InstallPlan } from '../../workflows/model/install.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { openAppliance } from '../archive/appliance.ts';
import type { Counterparts } from '../counterparts.ts';
import type { EngineClient } from '../engine/client.ts';
import { CounterpartError } from '../errors.ts';
import { deriveId } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from './client.ts';
import { connectExport, disconnectExport, domainsOn, firstHost, remotePathOf, type Export } from './first-host.ts';
import { lookAtHost } from './host-facts.ts';
import { cpuModelOf, machineOf } from './guest-hardware.ts';
import { findingsOf, type Finding, type Seen } from './preflight-findings.ts';

type Input = StepCall & { readonly answers: InstallAnswers };

const PROBE_MS = 5000;

/** What only a person can put right is a finding; anything else ends the look and is tried again. */
function asFinding(error: unknown): Finding {
  if (!(error instanceof CounterpartError) || error.facts.kind === 'retryable') throw error;
  const { subject, what, why, remedy } = error.facts;
  return { what: `${subject}: ${what}: ${why}`, remedy: remedy.replace(/,? then retry\.?$/, '') };
}

/** Mounts, looks and lets go: the export is as before. */
async function lookAtStorage(host: VdsmClient, at: Export, signal: AbortSignal): Promise<Seen['storage'][number]> {
  const where = remotePathOf(at);
  const domains = async () => (await domainsOn(host, at, signal)).map(({ id, name }) => `${name} (${id})`);
  // One that somebody else has mounted must stay mounted.
  const mounted = await domains();
  if (mounted.length > 0) return { at: where, domains: mounted };
  try {
    await connectExport(host, at, signal);
    return { at: where, domains: await domains() };
  } catch (error) {
    return { at: where, domains: [], fault: asFinding(error) };
  } finally {
    await disconnectExport(host, at, signal).catch(() => undefined);
  }
}

/** Reads it whole where nobody recorded its checksum: hours later would be late for that. */
async function lookAtAppliance(
  { archive }: Counterparts,
  { answers }: Input,
  context: StepContext,
): Promise<Seen['appliance']> {
  try {
    const { bytes, sha256, read } = await openAppliance(archive, answers.appliance.source, context.signal);
    if (sha256 !== undefined) return { bytes, sha256 };
    const hash = createHash('sha256');
    context.waitsFor(`the appliance’s checksum (${bytes} bytes)`);
    for await (const piece of await read()) hash.update(piece);
    return { bytes, sha256: hash.digest('hex') };
  } catch (error) {
    return { bytes: 0, fault: asFinding(error) };
  }
}

/** The worker's own try of the test that the hosts will make: by name, or to a port. A ping is the hosts' alone. */
function testNetwork({ networkTest: test }: InstallAnswers, addresses: readonly string[]): Promise<string | undefined> {
  if (test.kind === 'dns') return Promise.resolve(addresses.length > 0 ? undefined : 'no name server answered');
  if (test.kind !== 'tcp') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect({ host: test.address, port: test.port, timeout: PROBE_MS });
    const end = (fault: string | undefined) => {
      socket.destroy();
      resolve(fault);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end(`no answer from ${test.address}:${test.port} in ${PROBE_MS / 1000} s`));
    socket.once('error', (error) => end(error.message));
  });
}

/** The new engine's address must be nobody's: a certificate that is not trusted is somebody's too. */
async function whoAnswers(engine: EngineClient): Promise<string | undefined> {
  try {
    const { status, text } = await engine.health({ timeoutMs: PROBE_MS });
    return `HTTP ${status} ${text.trim().slice(0, 60)}`;
  } catch (error) {
    if (!(error instanceof CounterpartError)) throw error;
    return error.facts.kind === 'retryable' ? undefined : error.facts.why;
  }
}

async function unreadable({ secrets }: Counterparts, { answers }: Input): Promise<Finding[]> {
  const { access } = answers.host;
  const names = [
    answers.adminPasswordSecret,
    answers.appliancePasswordSecret,
    ...(access?.kind === 'password' ? [access.passwordSecret] : []),
  ];
  const found = await Promise.all(
    names.map((name) =>
      secrets.read(name).then(
        () => [],
        (error: unknown) => [asFinding(error)],
      ),
    ),
  );
  return found.flat();
}

async function look(counterparts: Counterparts, input: Input, context: StepContext): Promise<Seen> {
  const { answers } = input;
  const { signal } = context;
  const cluster = counterparts.clusters.get(input.cluster);
  const host = firstHost(counterparts, input);
  const exports: readonly Export[] = [
    answers.storage,
    ...(answers.masterDomain === undefined ? [] : [answers.masterDomain]),
  ];
  const engineAddresses = await cluster.resolveEngine(answers.fqdn);
  const seen: Seen['host'] = await lookAtHost(host, context);
  const storage: Seen['storage'][number][] = [];
  for (const at of exports) storage.push(await lookAtStorage(host, at, signal));
  return {
    host: seen,
    engineAddresses,
    configuredEngineHost: cluster.engineHost,
    storage,
    answering: await whoAnswers(cluster.engine(input.operationId, signal)),
    networkTestFault: await testNetwork(answers, engineAddresses),
    unreadableSecrets: await unreadable(counterparts, input),
    appliance: await lookAtAppliance(counterparts, input, context),
  };
}

function planOf({ operationId, answers }: Input, seen: Seen): InstallPlan {
  const id = (purpose: string) => deriveId(operationId, purpose);
  const disk = (purpose: string) => ({ image: id(`${purpose}/image`), volume: id(`${purpose}/volume`) });
  return {
    domain: id('domain'),
    pool: id('pool'),
    connection: deriveId(remotePathOf(answers.storage), 'connection'),
    vm: id('vm'),
    disk: disk('disk'),
    lockspace: disk('lockspace'),
    metadata: disk('metadata'),
    configuration: disk('configuration'),
    ovfStores: [disk('ovf-store-1'), disk('ovf-store-2')],
    applianceBytes: seen.appliance.bytes,
    cpuModel: cpuModelOf(seen.host.cpuFlags) ?? '',
    machine: machineOf(seen.host.machines) ?? '',
    gateway: seen.host.gateway,
  };
}

export function preflight(counterparts: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<InstallPlan>> => {
    const { answers } = input;
    const seen = await look(counterparts, input, context);
    const findings = findingsOf(answers, seen);
    if (findings.length > 0) {
      throw new CounterpartError({
        type: 'install/preflight',
        kind: 'needs-operator',
        subject: `install of ${answers.fqdn}`,
        what: `${findings.length} ${findings.length === 1 ? 'thing speaks' : 'things speak'} against it; nothing was touched`,
        why: findings.map(({ what }, nth) => `(${nth + 1}) ${what}`).join('; '),
        remedy: `${findings.map(({ remedy }, nth) => `(${nth + 1}) ${remedy}`).join('; ')}. Then retry.`,
      });
    }
    const { host } = seen;
    const notes = [
      `${answers.host.name}: ${host.cpuThreads} CPU threads, ${host.memFreeMiB} MiB free, clock ${Math.round((host.skewMs ?? 0) / 1000)} s off`,
      `${answers.fqdn} is ${seen.engineAddresses.join(', ')}`,
      ...seen.storage.map(({ at }) => `${at}: mounted, without a storage domain, and let go of`),
      `appliance: ${seen.appliance.bytes} bytes${seen.appliance.sha256 === undefined ? '' : ', checksum as asked for'}`,
      'when engine-setup is through, the worker needs the new engine’s CA and a client certificate of it in its files',
    ];
    return {
      done: 'now',
      summary: 'nothing speaks against it; nothing was touched',
      notes,
      value: planOf(input, seen),
    };
  };
}
