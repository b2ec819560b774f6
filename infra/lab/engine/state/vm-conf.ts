/** The little an engine sees of a running VM it did not start: processors, machine, display, NICs. */
export interface SeenVm {
  readonly smp: number;
  readonly maxVcpus: number;
  readonly cpuType: string;
  readonly emulatedMachine: string;
  readonly display: string;
  readonly nics: readonly { readonly id: string | undefined; readonly mac: string; readonly network: string }[];
}

/** Reads these from a vm.conf. The lab's fixture is trusted; a missing key takes the usual default. */
export function readVmConf(text: string): SeenVm {
  const value = (key: string) => new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`, 'm').exec(text)?.[1];
  const smp = Number(value('smp') ?? 4);
  const nics = text
    .split('\n')
    .filter((line) => /^\s*devices\s*=.*\btype:interface\b/.test(line))
    .map((line) => ({
      id: /deviceId:([\da-f-]{36})/.exec(line)?.[1],
      mac: /macAddr:((?:[\da-f]{2}:){5}[\da-f]{2})/i.exec(line)?.[1] ?? '00:16:3e:00:00:01',
      network: /\bnetwork:([^,}]+)/.exec(line)?.[1] ?? 'ovirtmgmt',
    }));
  return {
    smp,
    maxVcpus: Number(value('maxVCpus') ?? smp),
    cpuType: value('cpuType') ?? '',
    emulatedMachine: value('emulatedMachine') ?? '',
    display: value('display') ?? 'vnc',
    nics,
  };
}
