import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { afterEach, describe, expect, it } from 'vitest';
import { createLookup } from './lookup.ts';

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** A name service with one answer for all: an address of the asked kind, no such name, or nothing at all. */
async function names(answers: { readonly a?: string; readonly aaaa?: Buffer } | 'silent') {
  const asked: number[] = [];
  const socket = createSocket('udp4');
  open.push(socket);
  socket.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4);
    asked.push(type);
    if (answers === 'silent') return;
    const data = type === 1 ? Buffer.from(answers.a?.split('.').map(Number) ?? []) : (answers.aaaa ?? Buffer.alloc(0));
    const found = data.length > 0;
    const head = Buffer.from([0x81, found ? 0x80 : 0x83, 0, 1, 0, found ? 1 : 0, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 9, 0, data.length]);
    const parts = [query.subarray(0, 2), head, query.subarray(12, end)];
    socket.send(Buffer.concat(found ? [...parts, record, data] : parts), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

type Answer = string | readonly LookupAddress[];
async function ask(name: string, server: string, all: boolean): Promise<Answer> {
  const lookup = createLookup({ servers: [server], timeoutMs: 50 });
  return new Promise((resolve, reject) => {
    lookup(name, { all }, (error, address) => (error === null ? resolve(address) : reject(error)));
  });
}

describe('a name', () => {
  it('is looked up without the system’s own way', async () => {
    const { server, asked } = await names({ a: '192.0.2.7' });
    expect(await ask('orchestrator.example.test', server, false)).toBe('192.0.2.7');
    expect(await ask('orchestrator.example.test', server, true)).toEqual([{ address: '192.0.2.7', family: 4 }]);
    expect(asked).toEqual([1, 1]);
  });

  it('may have an IPv6 address only', async () => {
    const { server } = await names({ aaaa: Buffer.from('20010db8000000000000000000000009', 'hex') });
    expect(await ask('orchestrator.example.test', server, true)).toEqual([{ address: '2001:db8::9', family: 6 }]);
  });

  it('is given up when the name service is silent, and the system’s way is not tried', async () => {
    const { server, asked } = await names('silent');
    await expect(ask('orchestrator.example.test', server, false)).rejects.toMatchObject({
      code: 'ETIMEOUT',
      syscall: 'queryA',
    });
    expect(asked.length).toBeGreaterThan(1);
  });

  it('is asked of the system when it is none of the name service’s', async () => {
    const { server, asked } = await names('silent');
    expect(['127.0.0.1', '::1']).toContain(await ask('localhost', server, false));
    expect(await ask('127.0.0.9', server, false)).toBe('127.0.0.9');
    expect(asked).toEqual([]);
  });
});
