/** After the trouble: all hosts are well, and the cluster must find back by itself within the bounds (L1, L2, L5, L6). */
import { readBlock } from './blocks.ts';
import { healAll } from './faults/all.ts';
import type { Cluster } from './cluster.ts';

export interface Outcome {
  /** Healed until the engine VM ran again; 0 when it ran already. */
  readonly recoveredMs: number;
}

function boundMs(cluster: Cluster): number {
  const { timing } = cluster.world;
  const io = timing.profile.ioSeconds * 1000;
  const reference = cluster.world.hosts.some((host) => host.kind === 'reference');
  // Join, lease of a dead host, the longest back-off, and the reference's 560 s after a crash where it takes part.
  return 8 * io + timing.hostDeadMs + 320_000 + 60_000 + (reference ? 1_500_000 : 0);
}

/** Runs on until exactly one VM executes, then until the engine is well; then looks whether all stays as it is. */
export function runsHealed(cluster: Cluster): Outcome {
  const { world, machines, invariants } = cluster;
  const each = () => invariants.check();
  const ran = (untilMs: number, wanted: () => boolean) => {
    if (!wanted()) world.line.run(untilMs, () => each() && !wanted());
    return wanted();
  };
  healAll(world, machines);
  invariants.check();
  invariants.explanations.begin();
  const healedMs = world.now;
  if (!ran(healedMs + boundMs(cluster), () => world.executing().length === 1)) {
    if (invariants.violations.length === 0)
      invariants.violated('L1', `no engine VM ${Math.round((world.now - healedMs) / 1000)} s after all was healed`);
    return { recoveredMs: world.now - healedMs };
  }
  const recoveredMs = world.now - healedMs;
  const healthy = () => world.executing().some((host) => host.vm !== undefined && world.now >= host.vm.healthyFromMs);
  if (!ran(world.now + 3_600_000, healthy))
    invariants.violated('L1', 'the engine was not healthy an hour after its VM ran');
  settles(cluster);
  honoursGlobal(cluster);
  return { recoveredMs };
}

/** Peace: no order is given but a migration to a host that is better for long, and all hosts publish. */
function settles(cluster: Cluster): void {
  const { world, invariants } = cluster;
  if (invariants.violations.length > 0) return;
  world.line.run(world.now + 1_200_000, () => invariants.check());
  const orders = invariants.orders.length;
  const before = new Map([...world.slots].map(([id, bytes]) => [id, bytes]));
  world.line.run(world.now + 1_200_000, () => invariants.check());
  const late = invariants.orders
    .slice(orders)
    // A move for points is right here too when the points are there: moves.ts looks at them.
    .filter((order) => world.host(order.host)?.kind === 'bellwether' && order.rule !== 'better-host');
  if (late.length > 0) {
    const [first] = late;
    invariants.violated('L2', `in peace, host ${first?.host} orders ${first?.kind} (${first?.rule})`);
  }
  if (world.executing().length !== 1) invariants.violated('L1', `${world.executing().length} engine VMs run in peace`);
  const [owner] = world.executing();
  if (owner?.kind === 'bellwether' && invariants.moves.gapNow(owner) >= world.timing.threshold)
    invariants.violated('L2', `host ${owner.id} keeps the VM, another is better by ${invariants.moves.gapNow(owner)}`);
  invariants.explanations.check();
  for (const host of world.hosts) {
    const bytes = world.slots.get(host.id);
    if (bytes === undefined || bytes === before.get(host.id) || readBlock(host.id, bytes).kind !== 'host')
      invariants.violated('L6', `host ${host.id} does not publish`);
  }
}

/** L5: the flag is honoured everywhere within two beats and a reading, whoever sets it; the reference needs 20 s. */
function honoursGlobal(cluster: Cluster): void {
  const { world, invariants } = cluster;
  const ours = world.hosts.filter((host) => host.kind === 'bellwether');
  if (invariants.violations.length > 0 || ours.length === 0) return;
  world.random.pick(ours)?.main.worker?.setGlobal(true);
  world.line.run(world.now + 2 * world.timing.beatMs + 1000, () => invariants.check());
  for (const host of ours) {
    const state = host.main.worker?.agent?.last()?.decision.memory.state;
    if (state !== 'GlobalMaintenance')
      invariants.violated('L5', `host ${host.id} is in ${state} after global maintenance was set`);
  }
}
