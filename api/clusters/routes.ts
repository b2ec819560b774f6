/** `/clusters`: what they look like now, and what is wrong with the installation. Reads only. */
import type { Hono } from 'hono';
import type { Missing } from '../../workflows/model/look.ts';
import { refuse, type AppContext, type AppEnv } from '../context.ts';
import type { AppPorts, OperationSummary } from '../ports.ts';
import { shareFor } from './cache.ts';
import { doorChecks } from './door-checks.ts';
import type { RunReply } from './ports.ts';
import { worst, type ClusterList, type ClusterStatus, type DoctorReport } from './status.ts';
import type { Watch } from './watch.ts';

const RUNNING_MAX = 20;

const pathOf = (name: string, what: string) => `/clusters/${encodeURIComponent(name)}/${what}`;

/** What Temporal knows without a worker. */
async function openOperations(ports: AppPorts, cluster: string): Promise<readonly OperationSummary[]> {
  const reply = await ports.reader.list({ cluster, limit: RUNNING_MAX });
  return reply.outcome === 'listed' ? reply.operations.filter(({ execution }) => execution === 'running') : [];
}

async function refusal(
  c: AppContext,
  ports: AppPorts,
  cluster: string,
  seen: Exclude<RunReply<unknown>, { outcome: 'seen' }>,
) {
  if (seen.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', seen.why);
  const operations = await openOperations(ports, cluster);
  if (seen.outcome === 'no-worker') return refuse(c, 'no-worker-polls', seen.why, { operations });
  const { what, why, remedy } = seen.missing;
  return refuse(c, 'look-failed', `${what}: ${why}`, { operations, errors: [{ path: what, what: why, remedy }] });
}

function unknown(c: AppContext, { clusters }: AppPorts, name: string): Response | undefined {
  if (clusters.includes(name)) return undefined;
  return refuse(c, 'cluster-not-found', `no cluster is called ${name}; known are: ${clusters.join(', ') || 'none'}`);
}

const WORKER_CHECKS = 'checks of configuration, S3, engine, hosts and storage';

function notExamined(reply: Exclude<RunReply<unknown>, { outcome: 'seen' }>): Missing {
  if (reply.outcome === 'failed') return { ...reply.missing, what: WORKER_CHECKS };
  const remedy = 'Mend what the findings about Temporal name, then run the doctor again.';
  return { what: WORKER_CHECKS, why: reply.why, remedy };
}

async function doctor(ports: AppPorts, cluster: string): Promise<DoctorReport> {
  const [door, temporal, reply] = await Promise.all([
    doorChecks(ports),
    ports.looks.examineTemporal(),
    ports.looks.examine(cluster),
  ]);
  const worker = reply.outcome === 'seen' ? reply.value.findings : [];
  const findings = [...door, ...temporal, ...worker];
  const missing = reply.outcome === 'seen' ? [] : [notExamined(reply)];
  const result = missing.length > 0 ? 'failed' : worst(findings);
  return { cluster, at: ports.clock().toISOString(), result, findings, missing };
}

export function clusterRoutes(app: Hono<AppEnv>, ports: AppPorts, watch: Watch): void {
  const examined = shareFor<DoctorReport>(0, ports.clock, () => true);
  app.get('/clusters', (c) => {
    const clusters = ports.clusters.map((name) => ({
      name,
      links: { status: pathOf(name, 'status'), doctor: pathOf(name, 'doctor') },
    }));
    const list: ClusterList = { clusters };
    return c.json(list);
  });
  app.get('/clusters/:name/status', async (c) => {
    const name = c.req.param('name');
    const refused = unknown(c, ports, name);
    if (refused !== undefined) return refused;
    const { value, atMs } = await watch(name);
    if (value.outcome !== 'status') return refusal(c, ports, name, value);
    const status: ClusterStatus = { ...value.status, ageMs: Math.max(0, ports.clock().getTime() - atMs) };
    return c.json(status, 200, { 'cache-control': 'no-store' });
  });
  app.get('/clusters/:name/doctor', async (c) => {
    const name = c.req.param('name');
    const refused = unknown(c, ports, name);
    if (refused !== undefined) return refused;
    const { value } = await examined(name, () => doctor(ports, name));
    return c.json(value, 200, { 'cache-control': 'no-store' });
  });
  app.get('/clusters/:name/backups', async (c) => {
    const name = c.req.param('name');
    const refused = unknown(c, ports, name);
    if (refused !== undefined) return refused;
    const reply = await ports.looks.backups(name);
    if (reply.outcome !== 'seen') return refusal(c, ports, name, reply);
    return c.json(reply.value, 200, { 'cache-control': 'no-store' });
  });
}
