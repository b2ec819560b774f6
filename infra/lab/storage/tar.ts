/** Small tar archives in memory (OVF_STORE, configuration volume). */
import { extract, pack } from 'tar-stream';

export type TarMembers = ReadonlyMap<string, string | Buffer>;

/** An uncompressed tar, members in the map's order, two zero blocks at the end. */
export async function packTar(members: TarMembers, mtime: Date): Promise<Buffer> {
  const archive = pack();
  for (const [name, body] of members) archive.entry({ name, mtime, mode: 0o644 }, body);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Members by name. Bytes behind the end mark are ignored.
 * @throws Error of tar-stream when the bytes are no tar or end in the middle of a member.
 */
export async function unpackTar(bytes: Buffer): Promise<Map<string, Buffer>> {
  const archive = extract();
  const members = new Map<string, Buffer>();
  archive.end(bytes);
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    members.set(entry.header.name, Buffer.concat(chunks));
  }
  return members;
}
