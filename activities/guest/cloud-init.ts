/**
 * What a new engine VM is told at its first boot, on a NoCloud CD: names, passwords, network, and engine-setup.
 *
 * One file is for later: `ovirt-host-deploy-post-tasks.yml` is the engine's own hook at the end of each host's deployment
 * (engine: `/etc/ovirt-engine/ansible`). Through it the first host gets what only somebody on the host can do: its
 * hosted-engine.conf, the lockspace (`hosted-engine --reinitialize-lockspace`, engine.md 14 step 30) and the HA services.
 * Everything here is JSON, which is YAML.
 */
import type { InstallPlan } from '../../workflows/model/install.ts';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { hostedEngineConfText } from '../storage/install-configuration.ts';
import type { Payload } from '../vdsm/engine-vm-xml.ts';

/** After it the tasks do nothing: later, they could initialise a lockspace that is in use. */
const POST_TASKS_VALID_MS = 72 * 3_600_000;
const ANSWERS = '/root/heanswers.conf';
/** The appliance brings its own part of the answers. */
const APPLIANCE_ANSWERS = '/root/ovirt-engine-answers';
const POST_TASKS = '/etc/ovirt-engine/ansible/ovirt-host-deploy-post-tasks.yml';

export interface GuestSecrets {
  readonly adminPassword: string;
  readonly rootPassword: string;
}

/** Ansible tasks for the first host alone, once: a mark on the host says that they went through. */
export function postTasks(answers: InstallAnswers, plan: InstallPlan, startedAt: string): string {
  const mark = `/var/lib/ovirt-hosted-engine-ha/installed-${plan.vm}`;
  const until = Math.floor((Date.parse(startedAt) + POST_TASKS_VALID_MS) / 1000);
  const when = [
    `inventory_hostname == "${answers.host.address}"`,
    'not bellwether_mark.stat.exists',
    `now(utc=true).timestamp() < ${until}`,
  ];
  const owned = { owner: 'vdsm', group: 'kvm' };
  const tasks = [
    { name: 'Was this host deployed before?', 'ansible.builtin.stat': { path: mark }, register: 'bellwether_mark' },
    {
      name: 'Hosted engine packages',
      'ansible.builtin.package': { name: 'ovirt-hosted-engine-setup', state: 'present' },
      when,
    },
    {
      name: 'hosted-engine.conf',
      'ansible.builtin.copy': {
        dest: '/etc/ovirt-hosted-engine/hosted-engine.conf',
        content: hostedEngineConfText(answers, plan),
        ...owned,
        mode: '0440',
      },
      when,
    },
    {
      name: 'HA broker',
      'ansible.builtin.systemd': { name: 'ovirt-ha-broker', state: 'started', enabled: true },
      when,
    },
    {
      name: 'Lockspace',
      'ansible.builtin.command': { cmd: 'hosted-engine --reinitialize-lockspace --force' },
      register: 'bellwether_lockspace',
      until: 'bellwether_lockspace is succeeded',
      retries: 10,
      delay: 10,
      when,
    },
    { name: 'HA agent', 'ansible.builtin.systemd': { name: 'ovirt-ha-agent', state: 'started', enabled: true }, when },
    {
      name: 'Mark this host as deployed',
      'ansible.builtin.copy': { dest: mark, content: `${startedAt}\n`, ...owned, mode: '0444' },
      when,
    },
  ];
  return `---\n${JSON.stringify(tasks, null, 1)}\n`;
}

/** @param engineUser whether the engine's accounts lie with Keycloak shows in the administrator's name (engine.md 1.1) */
function setupAnswers(answers: InstallAnswers, { adminPassword }: GuestSecrets, engineUser: string): string {
  const lines = [
    '[environment:default]',
    `OVESETUP_CONFIG/fqdn=str:${answers.fqdn}`,
    `OVESETUP_CONFIG/adminPassword=str:${adminPassword}`,
    `OVESETUP_CONFIG/keycloakEnable=bool:${engineUser.endsWith('@internalsso') ? 'True' : 'False'}`,
    'OVESETUP_SYSTEM/memCheckEnabled=bool:True',
  ];
  return `${lines.join('\n')}\n`;
}

function networkConfig({ vm }: InstallAnswers): object {
  const match = { macaddress: vm.mac };
  const { staticIp } = vm;
  if (staticIp === undefined) return { version: 2, ethernets: { management: { match, dhcp4: true } } };
  const { address, prefix, gateway, dns } = staticIp;
  const [own, way] = address.includes(':') ? ['gateway6', gateway] : ['gateway4', gateway];
  const fixed = { match, addresses: [`${address}/${prefix}`], [own]: way, nameservers: { addresses: dns } };
  return { version: 2, ethernets: { management: fixed } };
}

/** The CD of the first start. It holds passwords: it goes to VDSM's `VM.create` and nowhere else. */
export function firstBootPayload(
  answers: InstallAnswers,
  plan: InstallPlan,
  secrets: GuestSecrets,
  about: { readonly startedAt: string; readonly engineUser: string },
): Payload {
  const { fqdn } = answers;
  const setup = `engine-setup --offline --accept-defaults $(test -f ${APPLIANCE_ANSWERS} && echo --config-append=${APPLIANCE_ANSWERS}) --config-append=${ANSWERS}`;
  const file = (path: string, content: string, permissions: string) => ({ path, content, permissions });
  const userData = {
    fqdn,
    hostname: fqdn.split('.')[0],
    ssh_pwauth: true,
    disable_root: false,
    chpasswd: { expire: false, users: [{ name: 'root', password: secrets.rootPassword, type: 'text' }] },
    growpart: { mode: 'auto', devices: ['/'] },
    write_files: [
      file(ANSWERS, setupAnswers(answers, secrets, about.engineUser), '0600'),
      file(POST_TASKS, postTasks(answers, plan, about.startedAt), '0644'),
    ],
    runcmd: [
      `${setup} > /root/engine-setup.log 2>&1`,
      ['rm', '-f', ANSWERS],
      ['touch', '/etc/cloud/cloud-init.disabled'],
    ],
  };
  return {
    label: 'cidata',
    files: {
      'user-data': `#cloud-config\n${JSON.stringify(userData)}\n`,
      'meta-data': `${JSON.stringify({ 'instance-id': plan.vm, 'local-hostname': fqdn })}\n`,
      'network-config': `${JSON.stringify(networkConfig(answers))}\n`,
    },
  };
}
