import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../activities/vdsm/stomp.ts';
import { dial, RawStomp, startTestLab, type TestLab, until } from './lab-for-tests.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startTestLab(1);
});
afterAll(() => lab.close());

const raw = async () => new RawStomp(await dial(lab.fixture, lab.host(1).port));
const gone = (client: RawStomp) => until('close', () => client.closed);

describe('STOMP dialect of a lab host (vdsm.md 2, 3)', () => {
  it('answers CONNECT 1.2 with version and heart-beat only, intervals raised to a second and swapped', async () => {
    const client = await raw();
    client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '500,7000' });
    const { headers, body } = await client.frame('CONNECTED');
    expect({ ...headers }).toEqual({ version: '1.2', 'heart-beat': '7000,1000' });
    expect(body.length).toBe(0);
    client.close();
  });

  it.each([
    ['0,15000', '15000,0'],
    [' +5000 , 6_000', '6000,5000'],
    ['x,4000', '4000,0'],
    ['1,2,3', '0,1000'],
    ['-5,2', '1000,1000'],
    ['7000', '0,0'],
  ])('reads heart-beat %j as VDSM does: %s', async (asked, answered) => {
    const client = await raw();
    client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': asked });
    expect((await client.frame('CONNECTED')).headers['heart-beat']).toBe(answered);
    client.close();
  });

  it.each(['1.0,1.1,1.2', '1.1'])('refuses accept-version %s with an ERROR frame and stays open', async (version) => {
    const client = await raw();
    client.send('CONNECT', { 'accept-version': version });
    const error = await client.frame('ERROR');
    expect(error.body.toString()).toBe('Version unsupported');
    expect(error.headers['message']).toBeUndefined();
    client.send('CONNECT', { 'accept-version': '1.2' });
    expect((await client.frame('CONNECTED')).headers['heart-beat']).toBe('0,0');
    client.close();
  });

  it('honours SUBSCRIBE and SEND before CONNECT', async () => {
    const client = await raw();
    client.send('SUBSCRIBE', { id: 's', destination: client.replies });
    client.request('{"jsonrpc":"2.0","method":"Host.ping2","id":"a"}');
    const message = await client.frame('MESSAGE');
    expect(message.headers['subscription']).toBe('s');
    expect(message.headers['content-type']).toBe('application/json');
    expect(message.headers['content-length']).toBe(String(message.body.length));
    expect(message.headers['message-id']).toBeUndefined();
    client.close();
  });

  it('has an ERROR frame for a subscription without id, a repeated id and an unknown destination', async () => {
    const client = await raw();
    client.send('SUBSCRIBE', { destination: 'x' });
    client.send('SUBSCRIBE', { id: '1', destination: 'x' });
    client.send('SUBSCRIBE', { id: '1', destination: 'y' });
    client.send('SEND', { destination: 'nobody' }, 'x');
    const texts = [await client.frame('ERROR'), await client.frame('ERROR'), await client.frame('ERROR')];
    expect(texts.map((frame) => frame.body.toString())).toEqual([
      'Missing destination or subscription id header',
      'Subscription id already exists',
      'Subscription not available',
    ]);
    client.close();
  });

  it('forwards a SEND to subscribers of the destination and of its dotted parents', async () => {
    const client = await raw();
    client.send('SUBSCRIBE', { id: '1', destination: 'a.b' });
    client.send('SEND', { destination: 'a.b.c', extra: 'kept' }, 'hello');
    const message = await client.frame('MESSAGE');
    expect(message.body.toString()).toBe('hello');
    expect(message.headers['extra']).toBe('kept');
    expect(message.headers['subscription']).toBe('1');
    client.close();
  });

  it('answers DISCONNECT with its receipt and leaves the closing to the client', async () => {
    const client = await raw();
    client.send('DISCONNECT', { receipt: 'r7' });
    expect((await client.frame('RECEIPT')).headers['receipt-id']).toBe('r7');
    client.send('CONNECT', { 'accept-version': '1.2' });
    await client.frame('CONNECTED');
    client.close();
  });

  it('sends one frame per TLS record, many answers at once included', async () => {
    const client = await raw();
    client.send('CONNECT', { 'accept-version': '1.2' });
    client.send('SUBSCRIBE', { id: 's', destination: client.replies });
    await client.frame('CONNECTED');
    // OpenSSL hands out at most one record per read, so a chunk is a record.
    const records: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => records.push(chunk));
    const calls = Array.from({ length: 30 }, (_, id) => ({
      jsonrpc: '2.0',
      method: 'Host.getHardwareInfo',
      id: `c${id}`,
    }));
    const frame = (call: object) =>
      encodeFrame('SEND', { destination: 'jms.topic.vdsm_requests', 'reply-to': client.replies }, JSON.stringify(call));
    client.socket.write(Buffer.concat(calls.map(frame)));
    await until('all answers', () => client.frames.length === calls.length);
    expect(records.length).toBe(calls.length);
    for (const record of records) {
      expect(record.subarray(0, 8).toString()).toBe('MESSAGE\n');
      expect(record.indexOf(0)).toBe(record.length - 1);
    }
    client.close();
  });

  it.each([
    ['DISCONNECT without a receipt', 'DISCONNECT\n\n\0'],
    ['an unknown command', 'CONNECT\naccept-version:1.2\n\n\0BEGIN\ntransaction:1\n\n\0'],
    ['SEND without destination', 'SEND\nx:1\n\n\0'],
    ['an undefined escape', 'CONNECT\naccept-version:1\\t2\n\n\0'],
    ['the command STOMP', 'STOMP\naccept-version:1.2\n\n\0'],
    ['a leading line end', '\nCONNECT\naccept-version:1.2\n\n\0'],
    ['a body longer than its content-length', 'SEND\ndestination:x\ncontent-length:1\n\nabc\0'],
  ])('closes the connection at %s', async (_, bytes) => {
    const client = await raw();
    client.socket.write(bytes);
    await gone(client);
  });

  it('sends heart-beats as asked and drops a client that breaks its promise', async () => {
    const client = await raw();
    client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '1000,1000' });
    await until('two beats', () => client.beats >= 1);
    await gone(client);
    expect(client.beats).toBeLessThanOrEqual(3);
  });
});
