/** UUIDs derived from a seed, so that a lab laid out twice from one fixture has the same ids. */
import { createHash } from 'node:crypto';

export function uuidFrom(...seed: readonly string[]): string {
  const hex = createHash('sha1').update(seed.join('\0')).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
