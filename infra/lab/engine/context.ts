/** What every command of the engine works with. */
import { randomUUID } from 'node:crypto';

import type { LabClock } from '../clock.ts';
import type { LabFixture } from '../fixture.ts';
import type { EngineFaults } from './faults.ts';
import type { HostGateway } from './gateway.ts';
import { refused, BUSY } from './http/engine-fault.ts';
import type { EngineEvent, EngineState, Job, JobStatus, Severity, Step } from './state/model.ts';
import type { Store } from './state/store.ts';

export type EngineClock = Pick<LabClock, 'now' | 'sleep' | 'speed'>;

/** References and origin of a new event. */
export type EventFacts = Partial<Omit<EngineEvent, 'index' | 'code' | 'severity' | 'time' | 'description'>>;

/** Who caused a command, and under which correlation id: both go into its events and jobs. */
export interface Cause {
  readonly correlationId: string;
  readonly userId: string;
}

const JOB_KEPT_MS = { finished: 10 * 60_000, failed: 60 * 60_000 } as const;

export class Context {
  readonly fixture: LabFixture;
  readonly gateway: HostGateway;
  readonly faults: EngineFaults;
  readonly #clock: EngineClock;
  readonly #store: Store;
  readonly #clockBase: number;
  readonly #locks = new Set<string>();
  readonly #background = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #log: (line: string) => void;

  constructor(parts: {
    fixture: LabFixture;
    gateway: HostGateway;
    faults: EngineFaults;
    clock: EngineClock;
    store: Store;
    log: (line: string) => void;
  }) {
    this.fixture = parts.fixture;
    this.gateway = parts.gateway;
    this.faults = parts.faults;
    this.#clock = parts.clock;
    this.#store = parts.store;
    this.#clockBase = parts.store.state.clock - parts.clock.now();
    this.#log = parts.log;
  }

  get state(): EngineState {
    return this.#store.state;
  }

  /** Lab time in milliseconds; goes on where the last process stopped. */
  now(): number {
    return this.#clockBase + this.#clock.now();
  }

  async sleep(labMs: number): Promise<void> {
    await this.#clock.sleep(labMs, this.#ending.signal);
  }

  get ending(): boolean {
    return this.#ending.signal.aborted;
  }

  changed(): void {
    this.#store.changed();
  }

  flush(): void {
    this.state.clock = Math.max(this.state.clock, this.now());
    this.#store.flush();
  }

  log(line: string): void {
    this.#log(line);
  }

  /** Runs work that outlives its request. Its own errors are its business; one that escapes is logged, never fatal. */
  inBackground(what: string, work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => this.log(`${what}: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => {
        this.#background.delete(running);
        if (!this.ending) this.flush();
      });
    this.#background.add(running);
  }

  /** Stops sleeping work and waits for it to end. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#background);
    this.flush();
  }

  /**
   * Takes the locks of a command.
   *
   * @returns what gives them back
   * @throws 409 ACTION_TYPE_FAILED_OBJECT_LOCKED when one of them is taken
   */
  lock(what: string, ...ids: readonly string[]): () => void {
    if (ids.some((id) => this.#locks.has(id))) throw refused(409, `Cannot ${what}. ${BUSY}`);
    for (const id of ids) this.#locks.add(id);
    return () => {
      for (const id of ids) this.#locks.delete(id);
    };
  }

  event(code: number, severity: Severity, description: string, facts: EventFacts = {}): void {
    const index = (this.state.events.at(-1)?.index ?? 0) + 1;
    this.state.events.push({
      index,
      code,
      severity,
      time: Date.now(),
      description,
      origin: 'oVirt',
      customId: -1,
      ...facts,
    });
    this.changed();
  }

  startJob(description: string, cause: Cause, steps: readonly string[] = ['validating', 'executing']): Job {
    const now = Date.now();
    const job: Job = {
      id: randomUUID(),
      description,
      status: 'started',
      startTime: now,
      lastUpdated: now,
      correlationId: cause.correlationId,
      owner: cause.userId,
      external: false,
      autoCleared: true,
      steps: steps.map((type, number) =>
        newStep(type, number, number < steps.length - 1 ? 'finished' : 'started', description),
      ),
    };
    this.state.jobs.push(job);
    this.changed();
    return job;
  }

  endJob(id: string | undefined, status: Exclude<JobStatus, 'started'>): void {
    const job = this.state.jobs.find((candidate) => candidate.id === id);
    if (job === undefined || job.status !== 'started') return;
    const now = Date.now();
    job.status = status;
    job.endTime = now;
    job.lastUpdated = now;
    job.endedAt = this.now();
    for (const step of job.steps.filter((candidate) => candidate.status === 'started')) {
      step.status = status;
      step.endTime = now;
    }
    this.changed();
  }

  /** Drops old jobs: succeeded after 10 lab minutes, others after 60 (engine.md 4). */
  dropOldJobs(): void {
    const now = this.now();
    const keep = this.state.jobs.filter(
      (job) =>
        job.endedAt === undefined ||
        now - job.endedAt < (job.status === 'finished' ? JOB_KEPT_MS.finished : JOB_KEPT_MS.failed),
    );
    if (keep.length === this.state.jobs.length) return;
    this.state.jobs = keep;
    this.changed();
  }
}

export function newStep(type: string, number: number, status: JobStatus, description: string): Step {
  const now = Date.now();
  return {
    id: randomUUID(),
    description: `${type === 'executing' ? '' : `${type}: `}${description}`,
    type,
    number,
    status,
    startTime: now,
    ...(status === 'started' ? {} : { endTime: now }),
    external: false,
  };
}
