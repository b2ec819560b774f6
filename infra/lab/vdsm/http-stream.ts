/**
 * Data streams on VDSM's port: `PUT /` writes a volume, `GET /` reads one (vdsm.md 10 "Data streams").
 *
 * What fails before the job is queued is a 500 with VDSM's status object. What fails in the job is only seen in the task
 * named by the Task-Id header: the PUT itself answers 200, as VDSM does. A PUT replaces the file (dd without notrunc).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { listVolumes, type VolumeFile } from '../storage/index.ts';
import { readVolume } from '../storage/volume-files.ts';
import { fail, VdsmError } from './errors.ts';
import { FaultGate } from './fault-gate.ts';
import type { HostState } from './host-state.ts';

const READ_BYTES = 64 * 1024;

class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Target {
  readonly domainDir: string;
  readonly image: string;
  readonly volume: string | undefined;
}

/** @throws HttpError 400 for missing headers, VdsmError 358, 309, 654 */
function targetOf(host: HostState, request: IncomingMessage): Target {
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [pool, domain, image] = [header('storage-pool-id'), header('storage-domain-id'), header('image-id')];
  if (pool === undefined || domain === undefined || image === undefined) {
    throw new HttpError(400, 'missing or empty required header(s)');
  }
  if (host.recovering) throw fail.recovering();
  const { dir } = host.requireDomain(domain);
  host.requireSpm(pool);
  return { domainDir: dir, image, volume: header('volume-id') };
}

/** The named volume, or the image's own when none is named. @throws VdsmError 201, 254 */
function openTarget({ domainDir, image, volume }: Target): VolumeFile {
  const volumes = listVolumes(domainDir, image);
  if (volumes.length === 0) throw fail.imagePath(image);
  const name = volume ?? volumes[0] ?? '';
  const file = volumes.includes(name) ? readVolume(domainDir, image, name) : undefined;
  if (file === undefined) throw fail.noSuchVolume(name);
  return file;
}

/**
 * Copies the request's body into the volume. At `cutAt` bytes the lab hangs up itself.
 * @throws VdsmError 2001 when the connection ended early; what came before it stays in the volume
 */
async function receive(request: IncomingMessage, file: VolumeFile, length: number, cutAt: number): Promise<void> {
  const out = openSync(file.path, 'w');
  let done = 0;
  try {
    for await (const chunk of request) {
      const bytes = (chunk as Buffer).subarray(0, cutAt - done);
      writeSync(out, bytes);
      done += bytes.length;
      // Leaving the loop would wait for the rest of the body: hang up and let the next read fail.
      if (done >= cutAt) request.socket.destroy();
    }
    fsyncSync(out);
  } catch (error) {
    if (!request.socket.destroyed) throw error;
  } finally {
    closeSync(out);
  }
  if (done < length) throw fail.fileRead(`partial data ${done} from ${length}`);
}

async function drain(request: IncomingMessage): Promise<void> {
  for await (const chunk of request) void chunk;
}

async function put(host: HostState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = request.headers['content-length'];
  if (text === undefined) throw new HttpError(411, 'missing header content-length');
  const length = Number(text);
  const gate = new FaultGate(host, 'PUT');
  gate.refuse();
  const target = targetOf(host, request);
  const task = host.tasks.begin('downloadImageFromStream');
  const cut = gate.cut();
  try {
    const file = openTarget(target);
    if (host.faults.take('storage-full') !== undefined) throw new VdsmError(2002, 'Internal file write failure: ()');
    await receive(request, file, length, cut ? Math.floor(length / 2) : Infinity);
    task.end();
  } catch (error) {
    task.end(error);
    if (request.socket.destroyed) return;
    await drain(request);
  }
  await gate.delay();
  response.writeHead(200, { 'Task-Id': task.id });
  response.end();
}

function rangeLength(request: IncomingMessage): number {
  const last = /^bytes=0-(\d+)$/.exec(request.headers.range ?? '')?.[1];
  if (last === undefined) throw new HttpError(400, 'expected: bytes=0-last_byte');
  return Number(last) + 1;
}

/** Sends up to `length` bytes. @returns how many there were */
async function transmit(response: ServerResponse, file: VolumeFile, length: number): Promise<number> {
  const input = openSync(file.path, 'r');
  try {
    let done = 0;
    while (done < length && !response.destroyed) {
      const buffer = Buffer.alloc(Math.min(READ_BYTES, length - done));
      const got = readSync(input, buffer, 0, buffer.length, done);
      if (got === 0) break;
      done += got;
      if (!response.write(buffer.subarray(0, got))) {
        await new Promise<void>((resolve) => {
          const go = () => {
            response.off('drain', go);
            response.off('close', go);
            resolve();
          };
          response.on('drain', go);
          response.on('close', go);
        });
      }
    }
    return done;
  } finally {
    closeSync(input);
  }
}

async function get(host: HostState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const length = rangeLength(request);
  const gate = new FaultGate(host, 'GET');
  gate.refuse();
  const target = targetOf(host, request);
  await gate.delay();
  const task = host.tasks.begin('uploadImageToStream');
  response.writeHead(206, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': length,
    'Content-Range': `bytes 0-${length - 1}`,
    'Task-Id': task.id,
  });
  try {
    const done = await transmit(response, openTarget(target), gate.cut() ? Math.floor(length / 2) : length);
    if (done < length) throw fail.fileRead(`partial data ${done} from ${length}`);
    task.end();
    response.end();
  } catch (error) {
    // The length was promised already: all that is left is to hang up.
    task.end(error);
    request.socket.destroy();
  }
}

function refuse(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
  } else if (error instanceof VdsmError) {
    const body = JSON.stringify({ status: { code: error.code, message: error.message } });
    response.writeHead(500, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  } else {
    response.writeHead(error instanceof HttpError ? error.status : 500, { Connection: 'close' });
    response.end();
  }
}

/** A server without a port: sockets that turned out to speak HTTP are handed to it. */
export function createStreamServer(host: HostState): Server {
  return createServer((request, response) => {
    const act = request.method === 'PUT' ? put : get;
    act(host, request, response).catch((error: unknown) => refuse(error, response));
  });
}
