/** The same picture in fewer bytes: by a palette, and packed well. Chromium packs for speed. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum of a chunk. */
const AROUND_BYTES = 12;

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + AROUND_BYTES;
  }
  return chunks;
}

function packed({ type, data }: Chunk): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** The rows' bytes without the filters that Chromium put over them (PNG specification, 9.2); `step` bytes a pixel. */
function unfiltered(raw: Buffer, rowBytes: number, step: number): Buffer {
  const rows = raw.length / (rowBytes + 1);
  const out = Buffer.alloc(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const filter = raw[row * (rowBytes + 1)];
    for (let index = 0; index < rowBytes; index++) {
      const at = row * rowBytes + index;
      const left = index < step ? 0 : (out[at - step] ?? 0);
      const up = row === 0 ? 0 : (out[at - rowBytes] ?? 0);
      const corner = index < step || row === 0 ? 0 : (out[at - rowBytes - step] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      out[at] = (raw[row * (rowBytes + 1) + 1 + index] ?? 0) + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function distance(a: number, b: number): number {
  return [16, 8, 0].reduce((sum, shift) => sum + (((a >> shift) & 255) - ((b >> shift) & 255)) ** 2, 0);
}

/** The 256 colours that are there most; each other one becomes the nearest of them. */
function paletteOf(colours: Uint32Array): { palette: number[]; indexOf: Map<number, number> } {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const known = [...counts].toSorted(([, a], [, b]) => b - a).map(([colour]) => colour);
  const palette = known.slice(0, 256);
  const nearest = (colour: number) =>
    palette.reduce(
      (best, other, index) => (distance(colour, other) < distance(colour, palette[best] ?? 0) ? index : best),
      0,
    );
  return { palette, indexOf: new Map(known.map((colour, index) => [colour, index < 256 ? index : nearest(colour)])) };
}

export function squeeze(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const head = Buffer.from(chunks.find(({ type }) => type === 'IHDR')?.data ?? Buffer.alloc(13));
  const [width, height, step] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9] === 6 ? 4 : 3];
  const raw = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const pixels = unfiltered(raw, width * step, step);
  const colours = Uint32Array.from({ length: width * height }, (_, index) => pixels.readUIntBE(index * step, 3));
  const { palette, indexOf } = paletteOf(colours);
  const rows = Buffer.alloc(height * (width + 1));
  colours.forEach((colour, index) => {
    rows[Math.floor(index / width) * (width + 1) + 1 + (index % width)] = indexOf.get(colour) ?? 0;
  });
  // Eight bits a pixel, by palette.
  head.set([8, 3], 8);
  const table = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const packs: Chunk[] = [
    { type: 'IHDR', data: head },
    { type: 'PLTE', data: table },
    { type: 'IDAT', data: deflateSync(rows, { level: 9, memLevel: 9 }) },
    { type: 'IEND', data: Buffer.alloc(0) },
  ];
  return Buffer.concat([png.subarray(0, SIGNATURE_BYTES), ...packs.map(packed)]);
}
