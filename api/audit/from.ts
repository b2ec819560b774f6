/** Where a call comes from. `X-Forwarded-For` counts only when the connection itself comes from a trusted proxy. */
import { BlockList, isIP } from 'node:net';
import { remoteOf } from '../webhooks/remote.ts';

export interface From {
  readonly remote?: string;
  readonly forwardedFor?: string;
}

/** Says whether an address is a trusted proxy's. */
export type Trusted = (address: string) => boolean;

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `10.0.0.1, 10.1.0.0/16, ::1`; @throws Error naming what is no address. */
export function trustedProxies(text: string): Trusted {
  const list = new BlockList();
  for (const word of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [address = '', bits, more] = word.split('/');
    const max = isIP(address) === 6 ? 128 : 32;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= max);
    if (isIP(address) === 0 || !fits || more !== undefined) throw new Error(`${JSON.stringify(word)} is no address`);
    if (bits === undefined) list.addAddress(address, family(address));
    else list.addSubnet(address, Number(bits), family(address));
  }
  return (address) => isIP(plain(address)) !== 0 && list.check(plain(address), family(plain(address)));
}

/** The nearest address that is no trusted proxy: what stands left of it anybody can have written. */
export function fromOf(env: unknown, forwarded: string | undefined, trusted: Trusted | undefined): From {
  const remote = remoteOf(env);
  if (remote === undefined) return {};
  if (trusted === undefined || forwarded === undefined || !trusted(remote)) return { remote };
  const hops = forwarded.split(',').map((hop) => hop.trim());
  const forwardedFor = hops.findLast((hop) => !trusted(hop)) ?? hops[0];
  return forwardedFor === undefined ? { remote } : { remote, forwardedFor: forwardedFor.slice(0, 100) };
}
