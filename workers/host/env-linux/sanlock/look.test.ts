import { describe, expect, it } from 'vitest';
import type { Host } from './codec.ts';
import { type Look, Watch } from './look.ts';

const host = (id: number, timestamp: number, more: Partial<Host> = {}): Host => ({
  id,
  timestamp,
  generation: 1,
  ioSeconds: 10,
  state: 'live',
  ...more,
});
const watch = () => new Watch({ hostId: 1, watchdogSeconds: 60, ioSeconds: 5 });
const look = (atMs: number, hosts: readonly Host[] | undefined, more: Partial<Look> = {}): Look => ({
  atMs,
  listed: true,
  hosts,
  owner: { id: 2, generation: 1 },
  ...more,
});

describe('Watch', () => {
  it('counts the owner’s silence from the last change that was seen, whatever its clock says', () => {
    const w = watch();
    w.fact(look(1000, [host(1, 10), host(2, 500)]));
    w.fact(look(21_000, [host(1, 30), host(2, 80)]));
    w.fact(look(41_000, [host(1, 50), host(2, 80)]));
    expect(w.fact(look(61_000, [host(1, 70), host(2, 80)]))).toEqual({
      atMs: 61_000,
      connected: true,
      joined: true,
      owner: 2,
      ownerSilentMs: 40_000,
      ioSeconds: 10,
      watchdogSeconds: 60,
    });
    expect(w.fact(look(81_000, [host(1, 90), host(2, 81)])).ownerSilentMs).toBe(0);
  });

  it('does not take the others for silent when it is its own daemon that sees nothing', () => {
    const w = watch();
    w.fact(look(0, [host(1, 10), host(2, 500)]));
    const blind = w.fact(look(79_000, [host(1, 10), host(2, 500, { state: 'fail' })]));
    expect(blind).toMatchObject({ joined: true, ownerSilentMs: 30_000 });
    // 8 io without a renewal: the lockspace is lost, whatever the daemon says of its own id.
    expect(w.fact(look(80_000, [host(1, 10), host(2, 500)])).joined).toBe(false);
  });

  it('believes a daemon that has watched for longer than this worker', () => {
    const w = watch();
    expect(w.fact(look(0, [host(1, 10), host(2, 500, { state: 'fail' })])).ownerSilentMs).toBe(80_000);
    expect(w.fact(look(0, [host(1, 10), host(2, 500, { state: 'dead' })])).ownerSilentMs).toBe(140_000);
    expect(w.fact(look(0, [host(1, 10), host(2, 500, { state: 'unknown' })])).ownerSilentMs).toBe(0);
  });

  it('calls a lease free when its owner came back since', () => {
    const w = watch();
    const again = w.fact(look(0, [host(1, 10), host(2, 500, { generation: 2 })]));
    expect(again).toMatchObject({ owner: undefined, ownerSilentMs: undefined });
    expect(
      w.fact(look(0, [host(1, 10, { generation: 5 })], { owner: { id: 1, generation: 4 } })).owner,
    ).toBeUndefined();
    expect(w.fact(look(0, [host(1, 10)], { owner: undefined })).owner).toBeUndefined();
  });

  it('names an owner that the daemon has not seen yet', () => {
    const w = watch();
    expect(w.fact(look(0, [host(1, 10)]))).toMatchObject({ owner: 2, ownerSilentMs: 0 });
    expect(w.fact(look(20_000, [host(1, 30)]))).toMatchObject({ owner: 2, ownerSilentMs: 20_000 });
    expect(w.fact(look(40_000, [host(1, 50), host(2, 7)]))).toMatchObject({ owner: 2, ownerSilentMs: 0 });
  });

  it('is joined right after joining, when nothing is known of the hosts, and not when it is not listed', () => {
    const w = watch();
    expect(w.fact(look(0, undefined))).toMatchObject({ joined: true, ioSeconds: 5 });
    expect(w.fact(look(0, [], { listed: false })).joined).toBe(false);
    expect(w.fact(look(0, [host(2, 7)])).joined).toBe(false);
  });
});
