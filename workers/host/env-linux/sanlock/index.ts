/** A client of sanlock's socket: what the host worker knows of the engine VM's lease. */
export { openSanlock, type SanlockOptions, type SanlockView } from './view.ts';
