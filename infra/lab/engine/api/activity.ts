import { randomUUID } from 'node:crypto';

import { choice, flag, int, require, sub, text } from '../codec/body.ts';
import { newStep } from '../context.ts';
import type { EventFacts } from '../context.ts';
import type { Call, Reply, Route } from '../http/call.ts';
import { actionReply, byId, created, deleted, entity, list, listing, variable } from '../http/call.ts';
import { entityNotFound, notFound, refused } from '../http/engine-fault.ts';
import type { EngineEvent, Job, Step } from '../state/model.ts';
import { eventFields, eventView, jobFields, jobView, stepView } from '../views/activity.ts';

function events(call: Call): Reply {
  const { context, parameters } = call;
  const from = parameters.int('from');
  const all = from === undefined ? context.state.events : context.state.events.filter((one) => one.index > from);
  return listing(call, {
    root: 'events',
    item: 'event',
    all,
    fields: (one) => eventFields(context, one),
    view: (one) => eventView(context, one),
    newestFirst: 'index',
  });
}

/** The ids an external event may point at; one that does not exist is 404. */
function eventRefs(call: Call): EventFacts {
  const { state } = call.context;
  const tables = [
    ['host', 'hostId', state.hosts],
    ['vm', 'vmId', state.vms],
    ['cluster', 'clusterId', state.clusters],
    ['data_center', 'dataCenterId', state.dataCenters],
    ['storage_domain', 'domainId', state.domains],
  ] as const;
  const refs: Record<string, string> = {};
  for (const [member, key, all] of tables) {
    const body = sub(call.body, member);
    if (body === undefined) continue;
    const id = text(body, 'id');
    if (!all.some((one) => one.id === id)) throw entityNotFound(`${member}: id=${id ?? ''}`);
    if (id !== undefined) refs[key] = id;
  }
  return refs;
}

function addEvent(call: Call): Reply {
  const { context, body } = call;
  require(body, 'Event', 'add', 'origin', 'severity', 'custom_id', 'description');
  const severity = choice(body, ['normal', 'warning', 'error', 'alert'], 'severity') ?? 'normal';
  const codes = { normal: 9801, warning: 9802, error: 9803, alert: 9804 } as const;
  const origin = text(body, 'origin') ?? '';
  const customId = int(body, 'custom_id') ?? -1;
  if (context.state.events.some((one) => one.origin === origin && one.customId === customId)) {
    throw refused(409, 'Cannot add External Event. An event with the same origin and custom id already exists.');
  }
  context.event(codes[severity], severity, text(body, 'description') ?? '', {
    ...eventRefs(call),
    origin,
    customId,
    ...call.cause,
  });
  return created('event', eventView(context, lastEvent(call)));
}

function lastEvent(call: Call): EngineEvent {
  const last = call.context.state.events.at(-1);
  if (last === undefined) throw notFound();
  return last;
}

function eventOf(call: Call): EngineEvent {
  const found = call.context.state.events.find((one) => String(one.index) === variable(call, 'index'));
  if (found === undefined) throw notFound();
  return found;
}

const jobOf = (call: Call): Job => byId(call.context.state.jobs, variable(call, 'id'));
const stepOf = (call: Call): Step => byId(jobOf(call).steps, variable(call, 'step'));

/** An external job, so that a workflow shows in the engine's task list (engine.md 4). */
function addJob(call: Call): Reply {
  const { context, body } = call;
  require(body, 'Job', 'add', 'description');
  const now = Date.now();
  const job: Job = {
    id: randomUUID(),
    description: text(body, 'description') ?? '',
    status: 'started',
    startTime: now,
    lastUpdated: now,
    correlationId: call.cause.correlationId,
    owner: call.cause.userId,
    external: true,
    autoCleared: flag(body, 'auto_cleared') ?? true,
    steps: [],
  };
  context.state.jobs.push(job);
  context.changed();
  return created('job', jobView(job));
}

function external(job: Job): void {
  if (!job.external) throw refused(409, 'Cannot change Job. The job is not an external one.');
}

function endJob(call: Call): Reply {
  const job = jobOf(call);
  external(job);
  const succeeded = flag(call.body, 'succeeded') ?? text(call.body, 'status') !== 'failed';
  call.context.endJob(
    job.id,
    flag(call.body, 'force') === true && !succeeded ? 'aborted' : succeeded ? 'finished' : 'failed',
  );
  return actionReply(call);
}

function clearJob(call: Call): Reply {
  const job = jobOf(call);
  external(job);
  call.context.state.jobs = call.context.state.jobs.filter((one) => one !== job);
  call.context.changed();
  return actionReply(call);
}

function addStep(call: Call): Reply {
  const { context, body } = call;
  const job = jobOf(call);
  external(job);
  require(body, 'Step', 'add', 'description', 'type');
  const parentId = text(body, 'parent_step', 'id');
  const step: Step = {
    ...newStep(text(body, 'type') ?? 'executing', job.steps.length, 'started', ''),
    description: text(body, 'description') ?? '',
    external: true,
    ...(parentId !== undefined && { parentId: byId(job.steps, parentId).id }),
  };
  job.steps.push(step);
  job.lastUpdated = Date.now();
  context.changed();
  return created('step', stepView(job, step));
}

function endStep(call: Call): Reply {
  const job = jobOf(call);
  const step = stepOf(call);
  external(job);
  step.status = (flag(call.body, 'succeeded') ?? true) ? 'finished' : 'failed';
  step.endTime = Date.now();
  job.lastUpdated = step.endTime;
  call.context.changed();
  return actionReply(call);
}

export const activityRoutes: readonly Route[] = [
  { method: 'GET', path: 'events', handler: events },
  { method: 'POST', path: 'events', handler: addEvent },
  { method: 'GET', path: 'events/*index', handler: (call) => entity('event', eventView(call.context, eventOf(call))) },
  {
    method: 'DELETE',
    path: 'events/*index',
    handler: (call) => {
      const one = eventOf(call);
      call.context.state.events = call.context.state.events.filter((other) => other !== one);
      call.context.changed();
      return deleted();
    },
  },
  {
    method: 'GET',
    path: 'jobs',
    handler: (call) =>
      listing(call, {
        root: 'jobs',
        item: 'job',
        all: call.context.state.jobs.toReversed(),
        fields: jobFields,
        view: jobView,
      }),
  },
  { method: 'POST', path: 'jobs', handler: addJob },
  { method: 'GET', path: 'jobs/:id', handler: (call) => entity('job', jobView(jobOf(call))) },
  { method: 'POST', path: 'jobs/:id/end', action: true, handler: endJob },
  { method: 'POST', path: 'jobs/:id/clear', action: true, handler: clearJob },
  {
    method: 'GET',
    path: 'jobs/:id/steps',
    handler: (call) => {
      const job = jobOf(call);
      return list(
        'steps',
        'step',
        job.steps.map((step) => stepView(job, step)),
      );
    },
  },
  { method: 'POST', path: 'jobs/:id/steps', handler: addStep },
  {
    method: 'GET',
    path: 'jobs/:id/steps/:step',
    handler: (call) => entity('step', stepView(jobOf(call), stepOf(call))),
  },
  { method: 'POST', path: 'jobs/:id/steps/:step/end', action: true, handler: endStep },
];
