import type { EngineState, Severity } from './model.ts';

const HOUR_MS = 3_600_000;

/** At least twenty events of the past days, warnings among them, so that reading old ones is something to get wrong. */
export function seedEvents(state: EngineState): void {
  const [dataCenter] = state.dataCenters;
  const [domain] = state.domains;
  const dataCenterId = dataCenter?.id ?? '';
  const domainId = domain?.id ?? '';
  const add = (hoursAgo: number, code: number, severity: Severity, description: string, refs: object = {}): void => {
    const index = (state.events.at(-1)?.index ?? 0) + 1;
    state.events.push({
      index,
      code,
      severity,
      time: Date.now() - hoursAgo * HOUR_MS,
      description,
      origin: 'oVirt',
      customId: -1,
      ...refs,
    });
  };
  let hours = 240;
  const step = () => (hours -= 6);
  add(step(), 1, 'normal', 'Starting oVirt Engine.');
  for (const host of state.hosts) {
    const refs = { hostId: host.id, clusterId: host.clusterId };
    add(step(), 42, 'normal', `Host ${host.name} was added by ${state.user.name}.`, { ...refs, userId: state.user.id });
    add(step(), 504, 'normal', `Host ${host.name} was installed.`, refs);
    add(step(), 13, 'normal', `Status of host ${host.name} was set to Up.`, refs);
    add(step(), 9000, 'warning', `Failed to verify Power Management configuration for Host ${host.name}.`, refs);
  }
  add(step(), 956, 'normal', `Storage Domain ${domain?.name ?? ''} was added by ${state.user.name}.`, {
    domainId,
    userId: state.user.id,
  });
  add(step(), 968, 'normal', `Storage Domain ${domain?.name ?? ''} was activated.`, { domainId, dataCenterId });
  add(
    step(),
    10458,
    'warning',
    'The Hosted Engine Storage Domain does not exist. It will be imported automatically upon Data Center activation.',
    { dataCenterId },
  );
  for (let visit = 0; visit < 4; visit += 1) {
    add(step(), 30, 'normal', `User ${state.user.name} logged in.`, { userId: state.user.id });
    add(step(), 31, 'normal', `User ${state.user.name} logged out.`, { userId: state.user.id });
  }
  add(
    step(),
    9022,
    'alert',
    'There is no full backup available, please run engine-backup to prevent data loss in case of corruption.',
  );
}
