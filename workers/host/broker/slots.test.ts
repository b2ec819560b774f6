import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, formatGlobalBlock, parseHostBlock } from '../../../activities/storage/whiteboard.ts';
import { acceptBlock, servableSlots } from './slots.ts';
import { hostSlot } from './testing.ts';

function padded(text: string | Buffer): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  Buffer.from(text).copy(block);
  return block;
}

describe('slots for the reference’s clients', () => {
  it('leaves out what would make them raise, and keeps the rest', () => {
    const served = servableSlots(
      new Map([
        [10, hostSlot(10)],
        [2, hostSlot(2)],
        [3, padded('2|2|newer agent')],
        [4, padded(Buffer.from([0xff, 0xfe, 0x31]))],
        [5, padded('1|1|notanumber|5|3400|{}|h')],
        [6, Buffer.alloc(BLOCK_BYTES)],
        [0, padded('maintenance=maybe')],
      ]),
    );
    expect([...served.keys()]).toEqual(['2', '10']);
    expect(served.get('10')).toEqual(hostSlot(10));
  });

  it('serves a host without its human part when only that is no text', () => {
    const block = hostSlot(1);
    block[600] = 0xff;
    const served = servableSlots(new Map([[1, block]])).get('1') ?? Buffer.alloc(0);
    expect(served.length).toBe(BLOCK_BYTES);
    expect(parseHostBlock(served)).toMatchObject({ kind: 'host', block: { score: 3400, extra: '' } });
  });

  it('serves the global flag alone, whatever lies beside it', () => {
    const served = servableSlots(new Map([[0, padded('CAP=10737418240\nmaintenance=1\nCTIME=1\n')]]));
    expect(served.get('0')).toEqual(formatGlobalBlock(true));
  });
});

describe('blocks given for writing', () => {
  it('pads what is short, and takes a cleaned slot', () => {
    expect(acceptBlock(0, Buffer.from('maintenance=1'))).toEqual({ ok: true, block: formatGlobalBlock(true) });
    expect(acceptBlock(7, Buffer.alloc(BLOCK_BYTES))).toMatchObject({ ok: true });
  });

  it.each([
    ['longer than a slot', 1, Buffer.alloc(BLOCK_BYTES + 1, 'x'), '4097 bytes'],
    ['a slot beyond the board', 2001, hostSlot(1), 'no slot 2001'],
    ['a flag in no words', 0, Buffer.from('maintenance=maybe'), 'maybe'],
    ['another flag only', 0, Buffer.from('other=1'), 'no maintenance flag'],
    ['garbage', 3, Buffer.from('hello'), 'bad-field'],
    ['a newer version', 3, Buffer.from('2|1|1|1|1|{}|h'), 'too-new'],
  ])('refuses %s', (_, id, data, why) => {
    const accepted = acceptBlock(id, data);
    expect(accepted.ok ? '' : accepted.why).toContain(why);
  });
});
