/** A change of the engine VM, compared with what is: pure. */
import type { EngineVmState } from '../../workflows/model/engine-vm.ts';
import type { EngineVmChange } from '../../workflows/model/requests.ts';
import type { OvfDescription } from '../ovf/read-ovf.ts';

/** One value that the request names. */
export interface Wanted {
  /** For people: "memory", "vNIC vnet0, profile". */
  readonly what: string;
  readonly value: string;
  /** The same of the VM now; undefined: there is no such disk or vNIC. */
  readonly now: string | undefined;
}

const topology = ({ sockets, cores, threads }: { sockets: number; cores: number; threads: number }) =>
  `${sockets}:${cores}:${threads}`;

function simple(change: EngineVmChange, state: EngineVmState): Wanted[] {
  const { description, comment, memoryMiB, maxMemoryMiB, guaranteedMemoryMiB, cpu } = change;
  const rows: [string, string | number | undefined, string | number][] = [
    ['description', description, state.description],
    ['comment', comment, state.comment],
    ['memory (MiB)', memoryMiB, state.memoryMiB],
    ['maximum memory (MiB)', maxMemoryMiB, state.maxMemoryMiB],
    ['guaranteed memory (MiB)', guaranteedMemoryMiB, state.guaranteedMemoryMiB],
    ['sockets:cores:threads', cpu === undefined ? undefined : topology(cpu), topology(state.cpu)],
  ];
  return rows.flatMap(([what, value, now]) =>
    value === undefined ? [] : [{ what, value: String(value), now: String(now) }],
  );
}

/** Every value that the change names, beside the one of now. */
export function wantedOf(change: EngineVmChange, state: EngineVmState): readonly Wanted[] {
  const disks = (change.disks ?? []).map(({ disk, sizeGiB }): Wanted => {
    const found = state.disks.find(({ id, name }) => id === disk || name === disk);
    return {
      what: `disk ${disk} (GiB)`,
      value: String(sizeGiB),
      now: found === undefined ? undefined : String(found.sizeGiB),
    };
  });
  const nics = (change.nics ?? []).flatMap(({ nic, profile, linked }): Wanted[] => {
    const found = state.nics.find(({ name }) => name === nic);
    return [
      ...(profile === undefined ? [] : [{ what: `vNIC ${nic}, profile`, value: profile, now: found?.profile }]),
      ...(linked === undefined
        ? []
        : [
            {
              what: `vNIC ${nic}, linked`,
              value: String(linked),
              now: found === undefined ? undefined : String(found.linked),
            },
          ]),
    ];
  });
  return [...simple(change, state), ...disks, ...nics];
}

/** Values that are neither what they were nor what is wanted: somebody else has changed them meanwhile. */
export function conflictsOf(change: EngineVmChange, before: EngineVmState, now: EngineVmState): readonly string[] {
  const former = wantedOf(change, before);
  return wantedOf(change, now).flatMap(({ what, value, now: present }, index) => {
    const was = former[index]?.now;
    return present === value || present === was ? [] : [`${what} was ${String(was)} and is ${String(present)} now`];
  });
}

/** The change that brings the former values back; disks stay grown, because nothing can shrink them. */
export function reverseOf(change: EngineVmChange, before: EngineVmState): EngineVmChange {
  const nics = (change.nics ?? []).flatMap(({ nic, profile, linked }) => {
    const was = before.nics.find(({ name }) => name === nic);
    if (was === undefined) return [];
    return [
      {
        nic,
        ...(profile === undefined ? {} : { profile: was.profile }),
        ...(linked === undefined ? {} : { linked: was.linked }),
      },
    ];
  });
  return {
    ...(change.description === undefined ? {} : { description: before.description }),
    ...(change.comment === undefined ? {} : { comment: before.comment }),
    ...(change.memoryMiB === undefined ? {} : { memoryMiB: before.memoryMiB }),
    ...(change.maxMemoryMiB === undefined ? {} : { maxMemoryMiB: before.maxMemoryMiB }),
    ...(change.guaranteedMemoryMiB === undefined ? {} : { guaranteedMemoryMiB: before.guaranteedMemoryMiB }),
    ...(change.cpu === undefined ? {} : { cpu: before.cpu }),
    ...(nics.length === 0 ? {} : { nics }),
  };
}

/** What an OVF on storage says otherwise than the engine; description and comment are told by its generation alone. */
export function ovfDifferences(ovf: OvfDescription, engines: OvfDescription): readonly string[] {
  const rows: [string, string | number, string | number][] = [
    ['memory (MiB)', ovf.memoryMb, engines.memoryMb],
    ['processors', ovf.vcpus, engines.vcpus],
    ['vNICs', JSON.stringify(ovf.nics), JSON.stringify(engines.nics)],
    ['disks', JSON.stringify(ovf.disks), JSON.stringify(engines.disks)],
  ];
  const older =
    ovf.generation < engines.generation ? [`generation ${ovf.generation} instead of ${engines.generation}`] : [];
  return [
    ...older,
    ...rows.flatMap(([what, here, there]) => (here === there ? [] : [`${what}: ${here} instead of ${there}`])),
  ];
}
