/** What the lab tells the engine VM's program (`vm.ts`), and what the ways to run a guest have in common. */
import { z } from 'zod';

/** As JSON in `LAB_QEMU`. */
export const vmSchema = z.object({
  kernel: z.string(),
  initrd: z.string(),
  /** As this host sees it. */
  disk: z.string(),
  /** IPv4, of the guest. */
  address: z.string(),
  tap: z.string(),
  bridge: z.string(),
  memoryMb: z.number(),
  /** Short: the monitor's socket lies there. */
  runDir: z.string(),
  qemu: z.string(),
  sanlock: z.string(),
  /** Command that leads into the host's network. */
  inside: z.array(z.string()),
  /** Run folder of the host's libvirtd; absent: plain qemu. */
  libvirtRun: z.string().optional(),
});

/** As JSON in `LAB_LEASE`; the path as this host sees it. */
export const leaseSchema = z.object({ lockspace: z.string(), name: z.string(), path: z.string(), offset: z.number() });

export type VmSettings = z.infer<typeof vmSchema>;

export interface VmOrder {
  readonly settings: VmSettings;
  readonly lease: z.infer<typeof leaseSchema>;
  readonly host: string;
  readonly uuid: string;
  /** Tells this start from all others; the guest writes it to its disk. */
  readonly token: number;
  readonly sanlockDir: string;
}

/** One start of the guest. */
export interface Machine {
  /** pid of qemu once it has its lease and runs; undefined: it ended before that. */
  readonly up: Promise<number | undefined>;
  /** The program's exit code. */
  readonly ended: Promise<number>;
  /** The power button. */
  powerDown(): void;
  kill(): void;
}

export const LEASE_FAILED = 44;

/** Kernel command line of the guest (`init.sh`). */
export function guestWords({ settings, host, token }: VmOrder): string {
  return `console=ttyS0 quiet panic=1 no_timer_check labip=${settings.address}/24 labhost=${host} labpid=${token}`;
}

/** Where qemu's pid is written for a start: the guest can't know it. */
export function pidFile(runDir: string, token: number | string): string {
  return `${runDir}/q${token}.pid`;
}
