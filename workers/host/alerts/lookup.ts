/**
 * Names without the thread pool: `dns.lookup` waits in one of its four threads, and a name service that hangs would stop
 * all file I/O of the worker. What the name service quickly says it does not know (`/etc/hosts`) is asked there still.
 */
import { lookup as systemLookup, Resolver } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

export interface LookupOptions {
  /** Default: those of `/etc/resolv.conf`. */
  readonly servers?: readonly string[];
  readonly timeoutMs?: number;
}

/** For `http.request` and `net.connect`. */
export function createLookup({ servers, timeoutMs = 3000 }: LookupOptions = {}): LookupFunction {
  return (name, options, callback) => {
    if (isIP(name) !== 0 || !name.includes('.')) {
      systemLookup(name, options, callback);
      return;
    }
    const answer = (addresses: readonly string[], family: 4 | 6) => {
      if (options.all === true)
        callback(
          null,
          addresses.map((address) => ({ address, family })),
        );
      else callback(null, addresses[0] ?? '', family);
    };
    const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    resolver.resolve4(name, (noV4, v4) => {
      if (noV4 === null && v4.length > 0) return answer(v4, 4);
      if (noV4?.code === 'ETIMEOUT') return callback(noV4, '', 0);
      resolver.resolve6(name, (noV6, v6) => {
        if (noV6 === null && v6.length > 0) answer(v6, 6);
        else if (noV6?.code === 'ETIMEOUT') callback(noV6, '', 0);
        else systemLookup(name, options, callback);
      });
    });
  };
}
