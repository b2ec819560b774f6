/** The lab's VDSM hosts. */
export { type EngineProgram, EngineProcess } from './engine-process.ts';
export { type HostHandle, startHost } from './host.ts';
export { HostState, type HostStateOptions } from './host-state.ts';
export { DEFAULT_TIMINGS, type LabTimings, LabWorld, type LabWorldOptions } from './world.ts';
export { preparedDir } from './verbs/volume.ts';
