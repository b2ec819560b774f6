/** What a simulated host is beside its VDSM: files, systemd, sshd, and the HA services that systemd runs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { labPaths } from '../fixture.ts';
import type { HaAgent } from '../vdsm/ha-agent.ts';
import type { HostState } from '../vdsm/host-state.ts';
import { machineShell } from './shell.ts';
import { startSshServer, type SshServer } from './ssh-server.ts';
import { Units, type Service } from './units.ts';
import { WorkerService } from './worker-service.ts';

const AGENT = 'ovirt-ha-agent';
const BROKER = 'ovirt-ha-broker';
const OURS = 'bellwether-host';
const FOLDERS = ['usr/lib', 'etc/systemd/system', 'var/lib'];

/** The model of the reference's agent: it lives while both of its services run. */
function referenceService(agent: HaAgent, units: Units, other: string): Service {
  return {
    exists: () => true,
    start: () => {
      if (units.isActive(other)) agent.start();
    },
    stop: (clean) => {
      agent.stop(clean);
      return Promise.resolve();
    },
  };
}

export class Machine {
  readonly units = new Units();
  readonly #state: HostState;
  readonly #root: string;
  readonly #shell;
  #ssh: SshServer | undefined;

  constructor(state: HostState, agent: HaAgent) {
    this.#state = state;
    this.#root = join(state.dir, 'root');
    for (const folder of FOLDERS) mkdirSync(join(this.#root, folder), { recursive: true });
    const log = join(state.dir, 'bellwether-host.log');
    this.#shell = machineShell(this.#root, this.units, log);
    const worker = new WorkerService(state, this.#shell, log);
    this.units.add(AGENT, referenceService(agent, this.units, BROKER), { enabled: true });
    this.units.add(BROKER, referenceService(agent, this.units, AGENT), { enabled: true });
    this.units.add(OURS, worker, { enabled: false, conflicts: [AGENT, BROKER] });
    state.haServices = () => {
      if (this.units.isActive(OURS)) return worker.alive() ? 'bellwether' : 'none';
      return this.units.isActive(BROKER) ? 'reference' : 'none';
    };
  }

  async powerOn(): Promise<void> {
    const { fixture, config } = this.#state;
    this.units.powerOn();
    if (config.sshPort === undefined) return;
    const paths = labPaths(fixture.dir);
    this.#ssh = await startSshServer({
      address: config.address,
      port: config.sshPort,
      hostKey: readFileSync(paths.sshHostKey(config.name), 'utf8'),
      rootPassword: fixture.hostRootPassword,
      rootKey: readFileSync(`${paths.sshRootKey}.pub`, 'utf8'),
      shell: this.#shell,
    });
  }

  async powerOff(): Promise<void> {
    const ssh = this.#ssh;
    this.#ssh = undefined;
    await Promise.all([this.units.powerOff(), ssh?.close()]);
  }
}
