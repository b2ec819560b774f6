/** Errors as VDSM answers them: a code and a text (vdsm.md 12). */
import { type Json, type JsonObject, repr, reprTuple } from './python.ts';

export class VdsmError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'VdsmError';
    this.code = code;
  }
}

/** Virtualisation and JSON-RPC errors print their context as a dict, or nothing. */
function withContext(code: number, text: string) {
  return (context: JsonObject = {}): VdsmError =>
    new VdsmError(code, Object.keys(context).length === 0 ? text : `${text}: ${repr(context)}`);
}

/** Storage errors print their arguments as a tuple. */
function withTuple(code: number, text: string) {
  return (...values: readonly Json[]): VdsmError => new VdsmError(code, `${text}: ${reprTuple(values)}`);
}

export const fail = {
  parse: () =>
    new VdsmError(
      -32700,
      'Invalid JSON was received by the server. An error occurred on the server while parsing the JSON text.',
    ),
  invalidRequest: withContext(-32600, 'Invalid request'),
  noSuchMethod: withContext(-32601, 'The method does not exist or is not available'),
  internal: withContext(-32603, 'Internal JSON-RPC error'),

  noSuchVm: withContext(1, 'Virtual machine does not exist'),
  vmExists: withContext(4, 'Virtual machine already exists'),
  cannotCreateVm: withContext(9, 'Error creating the requested VM'),
  ticket: withContext(18, 'Error while setting spice ticket'),
  unavailable: withContext(40, 'Resource unavailable'),
  notImplemented: withContext(44, 'Not implemented'),
  migrationNotRunning: withContext(47, 'Migration not in progress'),
  unexpected: withContext(16, 'Unexpected exception'),
  haPolicy: withContext(61, 'Failed to set Hosted Engine HA policy'),
  recovering: withContext(99, 'Recovering from crash or Initializing'),
  general: withTuple(100, 'General Exception'),
  exhausted: withContext(1100, 'Not enough resources'),

  noSuchVolume: withTuple(201, 'Volume does not exist'),
  wrongFormat: withTuple(202, 'Incorrect Volume format'),
  volumeMetadataWrite: withTuple(208, 'Error while updating volume meta data'),
  volumeExists: withTuple(212, 'Volume already exists'),
  illegalVolume: withTuple(227, 'Cannot prepare illegal volume'),
  imagePath: withTuple(254, 'Image path does not exist or cannot be accessed/created'),
  noSuchImage: (image: string, domain: string) =>
    new VdsmError(268, `Image does not exist in domain: 'image=${image}, domain=${domain}'`),
  noMaster: (pool: string, master: string) =>
    new VdsmError(304, `Cannot find master domain: 'spUUID=${pool}, msdUUID=${master}'`),
  unknownPool: withTuple(309, 'Unknown pool id, pool not connected'),
  poolNotConnected: withTuple(313, 'Storage pool not connected'),
  otherPool: withTuple(323, 'Cannot connect pool, already connected to another pool'),
  wrongMaster: (domain: string, pool: string) =>
    new VdsmError(324, `Wrong Master domain or its version: 'SD=${domain}, pool=${pool}'`),
  noSuchDomain: withTuple(358, 'Storage domain does not exist'),
  notMounted: withTuple(360, 'Storage domain remote path not mounted'),
  domainExists: withTuple(365, 'Storage domain already exists'),
  domainNotMember: (pool: string, domain: string) =>
    new VdsmError(375, `Domain is not member in pool: 'pool=${pool}, domain=${domain}'`),
  domainAttached: withTuple(380, 'Storage domain already attached to pool'),
  noSpace: (domain: string) => new VdsmError(397, `No space left on domain ${domain}: ${repr(domain)}`),
  unknownTask: withTuple(401, 'Task id unknown'),
  taskNotFinished: withTuple(403, 'Task not finished'),
  taskAborted: () => new VdsmError(411, "Task is aborted: 'value=Unknown error encountered abortedcode=411'"),
  lockHeld: withTuple(651, 'Cannot obtain lock'),
  notSpm: withTuple(654, 'Not SPM'),
  isSpm: withTuple(656, 'Operation not allowed while SPM is active'),
  memberOfPool: (domain: string) => new VdsmError(900, `Storage domain is member of pool: 'domain=${domain}'`),
  noSuchLease: (lease: string) => new VdsmError(936, `No such lease: 'lease=${lease}'`),
  invalidParameter: (name: string, value: Json) =>
    new VdsmError(1000, `Invalid parameter: ${repr(`${name}=${typeof value === 'string' ? value : repr(value)}`)}`),
  fileRead: (text: string) => new VdsmError(2001, `Internal file read failure: ${reprTuple([text])}`),
} as const;
