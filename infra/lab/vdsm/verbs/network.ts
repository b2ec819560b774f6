/** The network half of a lab host's report: one bridge over one NIC, as VDSM builds it from the kernel's view (vdsm.md 7). */
import type { HostState } from '../host-state.ts';
import type { JsonObject } from '../python.ts';

const BRIDGE = 'ovirtmgmt';
const NIC = 'eth0';

/** What every device and network shows. A device without an address has empty texts, not absent ones. */
function addresses(address: string): JsonObject {
  const own = address !== '';
  return {
    addr: address,
    netmask: own ? '255.0.0.0' : '',
    ipv4addrs: own ? [`${address}/8`] : [],
    ipv6addrs: [],
    gateway: own ? '127.0.0.1' : '',
    ipv6gateway: '::',
    ipv4defaultroute: own,
    mtu: 1500,
    dhcpv4: false,
    dhcpv6: false,
    ipv6autoconf: false,
  };
}

/** Result of `Host.getNetworkCapabilities`, and part of `Host.getCapabilities`. */
export function networkCapabilities(host: HostState): JsonObject {
  const { address, spmId } = host.config;
  const bridge = { ...addresses(address), ports: [NIC], stp: 'off' };
  const network = { ...bridge, iface: BRIDGE, bridged: true, switch: 'legacy', southbound: NIC };
  const hwaddr = `00:16:3e:00:00:${spmId.toString(16).padStart(2, '0')}`;
  return {
    networks: { [BRIDGE]: network },
    bridges: { [BRIDGE]: bridge },
    nics: { [NIC]: { hwaddr, ...addresses('') } },
    bondings: {},
    vlans: {},
    nameservers: [],
    supportsIPv6: true,
    netConfigDirty: 'False',
  };
}

function interfaceStats(name: string, sampleTime: number): JsonObject {
  const counters = { rx: '1000', tx: '1000', rxErrors: '0', txErrors: '0', rxDropped: '0', txDropped: '0' };
  return { name, state: 'up', speed: '1000', ...counters, sampleTime };
}

/** Per interface and in sum; result of `Host.getNetworkStatistics`. */
export function networkStatistics(host: HostState): { network: JsonObject; rxDropped: number; txDropped: number } {
  // A float for Python: a whole number would go out without a fraction, and the engine takes integers for no time at all.
  const sampleTime = (host.clock.wallDate().getTime() + 0.5) / 1000;
  const network = Object.fromEntries([BRIDGE, NIC].map((name) => [name, interfaceStats(name, sampleTime)]));
  return { network, rxDropped: 0, txDropped: 0 };
}
