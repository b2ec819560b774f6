/** A host's own libvirtd: in its network namespace, with private folders, and the lock manager that oVirt sets up (lab.md 2). */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../../processes.ts';
import { cacheDir, onPath } from '../../../setup/tools.mjs';

const SCRIPT = fileURLToPath(new URL('libvirt-host.sh', import.meta.url));
/** The first question makes it look at what qemu can do. */
const START_MS = 30_000;

const QEMU_CONF = `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
lock_manager = "sanlock"
stdio_handler = "file"
`;
const LIBVIRTD_CONF = `auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "root"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
`;

/** What libvirtd found out about qemu, which takes ten seconds; it looks itself whether that still holds. */
const KNOWN = join(cacheDir(), 'guest', 'libvirt-capabilities');

/** What is missing for libvirt; undefined: nothing. */
export function missingForLibvirt(): string | undefined {
  const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  for (const [program, deb] of [
    ['libvirtd', 'libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-system'],
    ['virsh', 'libvirt-clients'],
    ['unshare', 'util-linux'],
  ] as const) {
    if (onPath(program, { ...process.env, PATH }) === undefined) return `${program} (apt-get install ${deb})`;
  }
  const plugins = ['/usr/lib/x86_64-linux-gnu/libvirt', '/usr/lib64/libvirt', '/usr/lib/libvirt'];
  if (!plugins.some((folder) => existsSync(`${folder}/lock-driver/sanlock.so`))) {
    return 'libvirt’s lock manager for sanlock (apt-get install libvirt-sanlock)';
  }
  return undefined;
}

export class LibvirtHost {
  /** Of its sockets and pid files. */
  readonly runFolder: string;
  readonly #capabilities: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** @param dir an own, short folder of this host */
  constructor(dir: string, hostId: number, inside: readonly string[], sanlockDir: string) {
    this.runFolder = join(dir, 'run');
    this.#capabilities = join(dir, 'cache', 'qemu', 'capabilities');
    if (existsSync(KNOWN)) cpSync(KNOWN, this.#capabilities, { recursive: true });
    const etc = join(dir, 'etc');
    mkdirSync(etc, { recursive: true });
    writeFileSync(join(etc, 'qemu.conf'), QEMU_CONF);
    const uuid = `00000000-0000-4000-8000-${String(hostId).padStart(12, '0')}`;
    writeFileSync(join(etc, 'libvirtd.conf'), `${LIBVIRTD_CONF}host_uuid = "${uuid}"\n`);
    writeFileSync(
      join(etc, 'qemu-sanlock.conf'),
      `auto_disk_leases = 0\nrequire_lease_for_disks = 1\nhost_id = ${hostId}\nuser = "root"\ngroup = "root"\n`,
    );
    const log = openSync(join(dir, 'output'), 'a');
    const [command, ...args] = [...inside, 'unshare', '--mount', 'setpriv', '--pdeathsig', 'KILL', 'sh', SCRIPT, dir];
    const env = { ...process.env, SANLOCK_RUN_DIR: sanlockDir, SANLOCK_PRIVILEGED: '0' };
    this.#child = spawn(command, args, { env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  /** @throws Error when it does not answer within 30 s */
  async ready(): Promise<void> {
    const uri = `qemu+unix:///system?socket=${this.runFolder}/libvirt-sock`;
    const answers = () =>
      new Promise<boolean>((resolve) => {
        execFile('virsh', ['-q', '-c', uri, 'capabilities'], (error) => resolve(error === null));
      });
    await until('libvirtd to answer', answers, START_MS);
    if (!existsSync(KNOWN) && existsSync(this.#capabilities)) cpSync(this.#capabilities, KNOWN, { recursive: true });
  }

  /** SIGKILL, as a power cut does; a VM of it lives on until its own program ends it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
