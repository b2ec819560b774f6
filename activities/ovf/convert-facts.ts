/**
 * What an OVF tells and a vm.conf does not: the caller finds it out (engine, VDSM's Volume.getInfo) and hands it in.
 */

export interface DiskFacts {
  /** Virtual size of the volume, bytes. */
  readonly sizeBytes: number;
  /** Allocated size, bytes. */
  readonly actualBytes: number;
  readonly alias?: string;
  /** Default: raw volumes preallocated, cow ones sparse. */
  readonly allocation?: 'preallocated' | 'sparse';
}

export interface ConversionFacts {
  /** The engine's data center: on import it must be the real one, vm.conf has zeros. */
  readonly dataCenterId: string;
  readonly clusterName: string;
  /** Compatibility version of the cluster, e.g. `4.7`. */
  readonly clusterCompatibility: string;
  /** Full version of the engine as it writes it into OVFs, e.g. `4.5.0.0`. */
  readonly engineVersion: string;
  /** By volume id, as spelled in the vm.conf. */
  readonly disks: Readonly<Record<string, DiskFacts>>;
  readonly now: Date;
  /** Id for the active snapshot that ties the disks to the VM. */
  readonly snapshotId: string;
  /** osinfo unique name, default `other_linux` as the engine's own importer takes. */
  readonly osName?: string;
  /** Default four times the memory, as the engine does. */
  readonly maxMemoryMb?: number;
  /** Database generation, default 1. */
  readonly generation?: number;
}
