/**
 * What a lab consists of: names, ids and addresses, fixed before anything starts.
 *
 * Written once as `<dir>/lab.json`; the hosts, the storage and the engine VM's process all read the same file, as real
 * ones share one truth that lies on no machine in particular.
 */

export interface LabHost {
  /** The engine's id of the host. */
  readonly id: string;
  readonly name: string;
  /** Address the engine knows the host by; always loopback in the lab. */
  readonly address: string;
  /** Of VDSM; its imageio daemon has the next one (54321 and 54322 on a real host). */
  readonly vdsmPort: number;
  /** Of its SSH server; without it there is none. */
  readonly sshPort?: number;
  /** The engine's SPM id, which is the HA host id too (engine.md 11.2). 1-based. */
  readonly spmId: number;
  readonly hardwareUuid: string;
}

export interface LabDomain {
  readonly id: string;
  readonly name: string;
  /** As in a connection: `<server>:<path>`. The mount folder below the storage root is `server:path` with `/` → `_`. */
  readonly server: string;
  readonly path: string;
}

export interface LabImage {
  readonly image: string;
  readonly volume: string;
  readonly sizeBytes: number;
}

export interface LabFixture {
  readonly version: 1;
  readonly dir: string;
  /** Lab seconds per wall second: 1 = real time. */
  readonly speed: number;
  readonly engine: {
    readonly address: string;
    readonly port: number;
    readonly user: string;
    readonly passwordFile: string;
    readonly fqdn: string;
  };
  readonly dataCenter: { readonly id: string; readonly name: string };
  readonly cluster: {
    readonly id: string;
    readonly name: string;
    readonly cpuType: string;
    readonly version: { readonly major: number; readonly minor: number };
  };
  readonly hosts: readonly LabHost[];
  /** Machines with VDSM that the engine does not know yet: no hosted engine, no slot. */
  readonly spares?: readonly LabHost[];
  readonly hostRootPassword: string;
  /** Active master data domain of the data center. */
  readonly masterDomain: LabDomain;
  /** The hosted-engine domain. */
  readonly heDomain: LabDomain;
  /** A domain nobody has imported yet, with two unregistered VMs. */
  readonly importDomain: LabDomain;
  readonly heDisks: {
    readonly vm: LabImage;
    readonly lockspace: LabImage;
    readonly metadata: LabImage;
    readonly configuration: LabImage;
  };
  readonly vm: { readonly id: string; readonly name: string; readonly memoryMb: number };
  /** vm.conf of the engine VM, as it lies on each host and in the configuration volume. */
  readonly vmConf: string;
  /** True: start in the state after the upgrade. */
  readonly managed: boolean;
  /** True: hosts without a hosted engine, empty exports, no engine: what a fresh install finds. */
  readonly bare?: boolean;
}

/** Every machine of the lab, known to the engine or not. */
export function labMachines({ hosts, spares = [] }: Pick<LabFixture, 'hosts' | 'spares'>): readonly LabHost[] {
  return [...hosts, ...spares];
}

/** Paths below a lab's folder. */
export function labPaths(dir: string) {
  return {
    fixture: `${dir}/lab.json`,
    pki: `${dir}/pki`,
    ca: `${dir}/pki/ca.pem`,
    engineCert: `${dir}/pki/engine-cert.pem`,
    engineKey: `${dir}/pki/engine-key.pem`,
    clientCert: `${dir}/pki/client-cert.pem`,
    clientKey: `${dir}/pki/client-key.pem`,
    hostCert: (name: string) => `${dir}/pki/${name}-cert.pem`,
    hostKey: (name: string) => `${dir}/pki/${name}-key.pem`,
    sshHostKey: (name: string) => `${dir}/hosts/${name}/ssh-host-key`,
    /** With which root may log in on every machine. */
    sshRootKey: `${dir}/pki/ssh-root-key`,
    /** What `/rhev/data-center/mnt` is on a real host: one folder per mounted connection. */
    storageRoot: `${dir}/rhev/data-center/mnt`,
    hostDir: (name: string) => `${dir}/hosts/${name}`,
    /** The engine's database; it "lies on the engine VM's disk", so it survives the VM's process. */
    engineDatabase: `${dir}/engine/database.json`,
    enginePassword: `${dir}/engine/admin-password`,
    engineLog: `${dir}/engine/engine.log`,
    /** Disk image of the engine VM before its set-up; in a bare lab only. */
    appliance: `${dir}/appliance.raw`,
  } as const;
}

/** Mount folder of a connection, spelled as VDSM spells it: `_` doubled, then `/` → `_` (a trailing slash is kept apart by VDSM). */
export function mountFolder(domain: Pick<LabDomain, 'server' | 'path'>): string {
  return `${domain.server}:${domain.path.replaceAll('_', '__').replaceAll('/', '_')}`;
}
