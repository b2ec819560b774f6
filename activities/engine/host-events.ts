/** The engine's events about a host: matched by code, the text is for people (engine.md 18). */
import type { EngineClient } from './client.ts';
import type { EngineEvent } from './types.ts';
import { correlationOf } from '../ids.ts';

const EVENTS_MAX = 100;
const TOLD_MAX = 3;

/** Index of the newest event: what comes later has a higher one. */
export async function lastEventIndex(engine: EngineClient): Promise<number> {
  const [last] = await engine.events({ max: 1 });
  return last?.index ?? 0;
}

/** Events about the host after `from`, newest first. */
export async function hostEvents(engine: EngineClient, hostId: string, from: number): Promise<EngineEvent[]> {
  const events = await engine.events({ from, max: EVENTS_MAX });
  return events.filter((event) => event.host?.id === hostId && event.index > from);
}

/** The newest warnings and errors about the host that this operation caused, as lines. */
export async function recentTrouble(engine: EngineClient, hostId: string, operationId: string): Promise<string[]> {
  const events = await engine.events({ correlationId: correlationOf(operationId), max: EVENTS_MAX });
  return events
    .filter((event) => event.host?.id === hostId && event.severity !== 'normal')
    .slice(0, TOLD_MAX)
    .map((event) => `event ${event.code}: ${event.description}`);
}

/** HA maintenance could not be enabled or ended: by the engine itself, by its user's command (engine.md 18). */
const HA_MAINTENANCE_TROUBLE = new Set([10_452, 10_453, 10_454, 10_455]);

/** What the engine said when it could not bring HA maintenance in step, as lines. */
export async function findRefusedMaintenance(
  engine: EngineClient,
  hostId: string,
  operationId: string,
): Promise<string[]> {
  const events = await engine.events({ correlationId: correlationOf(operationId), max: EVENTS_MAX });
  const told = events.filter((event) => event.host?.id === hostId && HA_MAINTENANCE_TROUBLE.has(event.code));
  return told.map((event) => `event ${event.code}: ${event.description}`);
}
