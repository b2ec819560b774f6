/** The questions of `bellwether install`: in order, each with what it is for. What an answer may be is the request schema's word. */

export type Tree = { [field: string]: unknown };

export interface Question {
  /** Of the field in InstallAnswers. A field that starts with `?` steers the dialogue and is no answer. */
  readonly path: readonly string[];
  readonly ask: string;
  readonly explain: string;
  readonly kind?: 'number' | 'yes-no' | 'list';
  /** Taken on Enter; without it an answer is needed. */
  readonly preset?: string | ((answers: Tree) => string | undefined);
  /** Asked only then. */
  readonly when?: (answers: Tree) => boolean;
}

export function at(answers: Tree, path: readonly string[]): unknown {
  let value: unknown = answers;
  for (const field of path) value = isTree(value) ? value[field] : undefined;
  return value;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SECRET =
  'Not the password itself: the name of a file in the worker’s BELLWETHER_SECRETS_DIR that holds it, so that it never gets into a history.';
/** A steering question about these fields: as it was answered, else whether answers of before hold them. */
const chosen =
  (steering: string, ...fields: readonly string[]) =>
  (answers: Tree): boolean =>
    (answers[steering] ?? at(answers, fields) !== undefined) === true;
const HOST_PASSWORD = chosen('?hostPassword', 'host', 'access', 'passwordSecret');
const STATIC_IP = chosen('?staticIp', 'vm', 'staticIp');
const MASTER_DOMAIN = chosen('?masterDomain', 'masterDomain');
const yesNo = (yes: boolean) => (yes ? 'yes' : 'no');

/** In what is kept: it began with a whole file of answers, where what is missing was left out on purpose. */
export const WHOLE = '?whole';
const text = (answers: Tree, ...path: readonly string[]) => {
  const value = at(answers, path);
  return typeof value === 'string' ? value : undefined;
};

export const QUESTIONS: readonly Question[] = [
  {
    path: ['fqdn'],
    ask: 'Full name of the engine',
    explain:
      'Every host and browser must resolve it to the engine VM’s address, and no machine may have that address yet.',
  },
  { path: ['adminPasswordSecret'], ask: 'Name of the secret with the engine’s admin password', explain: SECRET },
  {
    path: ['appliancePasswordSecret'],
    ask: 'Name of the secret with root’s password of the engine VM',
    explain: SECRET,
  },
  {
    path: ['host', 'name'],
    ask: 'Name of the first host in the engine',
    explain: 'The host on which the engine VM starts; it becomes the first hosted-engine host.',
  },
  {
    path: ['host', 'address'],
    ask: 'Address of that host',
    explain:
      'Name or IP address under which worker and engine reach its VDSM; never localhost, as other hosts use it too.',
  },
  {
    path: ['host', 'bridgeInterface'],
    ask: 'Interface that carries the management network on it',
    explain: 'Its bridge ovirtmgmt must be there already. A VLAN is written eth0.100; team devices don’t work.',
    preset: 'eth0',
  },
  {
    path: ['?hostPassword'],
    ask: 'Does the engine need root’s password to get into the host',
    explain: 'No: the engine’s own public key is in the host’s authorized_keys, or is put there. Yes: name a secret.',
    kind: 'yes-no',
    preset: (answers) => yesNo(HOST_PASSWORD(answers)),
  },
  {
    path: ['host', 'access', 'passwordSecret'],
    ask: 'Name of the secret with root’s password of the host',
    explain: SECRET,
    when: HOST_PASSWORD,
  },
  {
    path: ['storage', 'type'],
    ask: 'Storage of the hosted engine: nfs or glusterfs',
    explain: 'An export for the engine VM alone. Block storage can’t be installed yet.',
    preset: 'nfs',
  },
  {
    path: ['storage', 'address'],
    ask: 'Storage server',
    explain: 'Name or IP address; all hosts must reach it.',
  },
  {
    path: ['storage', 'path'],
    ask: 'Exported path',
    explain: 'It must be empty and writable for vdsm (36:36), with room for the engine’s disk and 4 GiB more.',
  },
  {
    path: ['storage', 'domainName'],
    ask: 'Name of that storage domain',
    explain: 'As the engine shows it.',
    preset: 'hosted_storage',
  },
  { path: ['vm', 'name'], ask: 'Name of the engine VM', explain: 'As the engine shows it.', preset: 'HostedEngine' },
  {
    path: ['vm', 'memoryMiB'],
    ask: 'Memory of the engine VM in MiB',
    explain: '16384 for up to about 200 hosts; the preflight refuses more than the host has free.',
    kind: 'number',
    preset: '16384',
  },
  {
    path: ['vm', 'vcpus'],
    ask: 'CPUs of the engine VM',
    explain: 'Not more than the smallest hosted-engine host has.',
    kind: 'number',
    preset: '4',
  },
  {
    path: ['vm', 'diskGiB'],
    ask: 'Disk of the engine VM in GiB',
    explain: 'The appliance needs 50 at least.',
    kind: 'number',
    preset: '61',
  },
  {
    path: ['vm', 'mac'],
    ask: 'MAC address of the engine VM',
    explain:
      'A unicast address nobody else has; with DHCP the one the server knows. The range of local use begins with 02.',
  },
  {
    path: ['?staticIp'],
    ask: 'Does the engine VM get a fixed address',
    explain: 'No: DHCP gives it, and must give the one that the engine’s name resolves to.',
    kind: 'yes-no',
    preset: (answers) => yesNo(STATIC_IP(answers)),
  },
  {
    path: ['vm', 'staticIp', 'address'],
    ask: 'Its address',
    explain: 'The one that the engine’s name resolves to.',
    when: STATIC_IP,
  },
  {
    path: ['vm', 'staticIp', 'prefix'],
    ask: 'Length of its network’s prefix',
    explain: 'E.g. 24 for 255.255.255.0.',
    kind: 'number',
    preset: '24',
    when: STATIC_IP,
  },
  {
    path: ['vm', 'staticIp', 'gateway'],
    ask: 'Its gateway',
    explain: 'In the same network.',
    when: STATIC_IP,
  },
  {
    path: ['vm', 'staticIp', 'dns'],
    ask: 'Its name servers, 1 to 3, with commas',
    explain: 'IP addresses.',
    kind: 'list',
    when: STATIC_IP,
  },
  { path: ['dataCenter'], ask: 'Data center', explain: 'Made by the engine’s set-up.', preset: 'Default' },
  {
    path: ['networkTest', 'kind'],
    ask: 'How hosts test their network: dns, ping, tcp or none',
    explain:
      'The HA score falls when it fails. tcp asks for a target of yours; none leaves the network out of the score.',
    preset: 'dns',
  },
  {
    path: ['networkTest', 'address'],
    ask: 'Target of the TCP test',
    explain: 'Something that is up when the network is, e.g. the gateway’s management address.',
    when: (answers) => at(answers, ['networkTest', 'kind']) === 'tcp',
  },
  {
    path: ['networkTest', 'port'],
    ask: 'Its port',
    explain: 'It must accept connections.',
    kind: 'number',
    when: (answers) => at(answers, ['networkTest', 'kind']) === 'tcp',
  },
  {
    path: ['appliance', 'source'],
    ask: 'Disk image of the appliance',
    explain: 'The raw image: s3://bucket/key, or an absolute path on the worker’s machine.',
  },
  {
    path: ['appliance', 'sha256'],
    ask: 'Its SHA-256',
    explain: 'What `sha256sum` says of the image; it is compared while the image is copied.',
  },
  {
    path: ['?masterDomain'],
    ask: 'Name the first data domain now',
    explain:
      'The data center needs one beside the hosted engine’s own. Without it the installation parks when it is needed, and asks.',
    kind: 'yes-no',
    preset: (answers) => yesNo(answers[WHOLE] !== true || MASTER_DOMAIN(answers)),
  },
  {
    path: ['masterDomain', 'type'],
    ask: 'Its storage: nfs or glusterfs',
    explain: 'Another export than the hosted engine’s own.',
    preset: (answers) => text(answers, 'storage', 'type'),
    when: MASTER_DOMAIN,
  },
  {
    path: ['masterDomain', 'address'],
    ask: 'Its server',
    explain: 'Name or IP address.',
    preset: (answers) => text(answers, 'storage', 'address'),
    when: MASTER_DOMAIN,
  },
  {
    path: ['masterDomain', 'path'],
    ask: 'Its exported path',
    explain: 'Empty, and not the hosted engine’s.',
    when: MASTER_DOMAIN,
  },
  {
    path: ['masterDomain', 'name'],
    ask: 'Its name',
    explain: 'As the engine shows it.',
    preset: 'data',
    when: MASTER_DOMAIN,
  },
];
