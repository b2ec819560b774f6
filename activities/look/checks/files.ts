/** Files that the worker's configuration names: there, readable, secret ones for their owner only; certificates not expired. */
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../../../workflows/model/look.ts';
import type { ClusterConfig } from '../../clusters.ts';
import { bad, expiry, ok, type Topic } from './finding.ts';

const others = 0o077;
const octal = (mode: number) => (mode & 0o777).toString(8).padStart(3, '0');
const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Readable for the worker, for nobody else. */
export async function secretFile(topic: Topic, file: string): Promise<Finding> {
  try {
    const [{ mode }, text] = await Promise.all([stat(file), readFile(file, 'utf8')]);
    if (text.trim() === '') return bad('failed', topic, `${file} is empty`, 'Write the secret into it.');
    if ((mode & others) === 0) return ok(topic, `${file}, mode ${octal(mode)}`);
    // The group may be the service's own; the world never is.
    const world = (mode & 0o007) !== 0;
    return bad(
      world ? 'failed' : 'warning',
      topic,
      `${file} has mode ${octal(mode)}: ${world ? 'everybody' : 'its group'} on this machine may use it`,
      `chmod 600 ${file}${world ? ', and change the secret if others may have read it' : ''}.`,
    );
  } catch (error) {
    return bad('failed', topic, reason(error), 'Make the file, readable for the service’s user only.');
  }
}

async function certificateFile(topic: Topic, file: string, now: Date, remedy: string): Promise<Finding> {
  try {
    const { validFrom, validTo } = new X509Certificate(await readFile(file));
    return expiry(topic, new Date(validFrom), new Date(validTo), now, remedy);
  } catch (error) {
    return bad('failed', topic, `${file}: ${reason(error)}`, 'Name a PEM file that the worker’s user may read.');
  }
}

const CONFIGURATION = 'configuration';
const unique = (values: readonly string[]) => [...new Set(values)];

/** What the clusters' file says of one cluster. */
export async function clusterFiles(config: ClusterConfig, now: Date): Promise<Finding[]> {
  const { engine, hosts } = config;
  const topic = (check: string, why: string): Topic => ({ area: CONFIGURATION, check, why });
  const cas = unique([engine.ca, ...hosts.map((host) => host.ca)]);
  const certs = unique(hosts.map((host) => host.cert));
  const keys = unique(hosts.map((host) => host.key));
  const names = hosts.map((host) => host.name);
  const twice = unique(names.filter((name, index) => names.indexOf(name) !== index));
  const places = hosts.map((host) => `${host.address}:${host.vdsmPort}`);
  const same = unique(places.filter((place, index) => places.indexOf(place) !== index));
  const hostsTopic = topic('hosts of the clusters’ file', 'work goes to a host by its name');
  const doubled = [...twice, ...same];
  return [
    doubled.length === 0
      ? ok(hostsTopic, `${names.length}: ${names.join(', ')}`)
      : bad(
          'failed',
          hostsTopic,
          `more than once: ${doubled.join(', ')}`,
          'Correct the file that BELLWETHER_CLUSTERS_FILE names.',
        ),
    await secretFile(
      topic('password file of the engine’s user', 'who reads it administers the engine'),
      engine.passwordFile,
    ),
    ...(await Promise.all([
      ...cas.map((file) =>
        certificateFile(
          topic(`CA ${file}`, 'engine and hosts are trusted by it'),
          file,
          now,
          'Renew the engine’s CA (engine-setup), then copy it.',
        ),
      ),
      ...certs.map((file) =>
        certificateFile(
          topic(`own certificate ${file}`, 'without it no host lets us in'),
          file,
          now,
          'Get a new client certificate signed by the engine’s CA.',
        ),
      ),
      ...keys.map((file) => secretFile(topic('own key', 'who reads it commands every host'), file)),
    ])),
  ];
}

/** The folder of secrets that requests name. */
export async function secretsFolder(dir: string | undefined): Promise<Finding[]> {
  const topic: Topic = { area: 'secrets', check: 'folder of secrets', why: 'passwords of hosts and engine lie there' };
  if (dir === undefined) return [ok(topic, 'none is configured (BELLWETHER_SECRETS_DIR); requests can’t name secrets')];
  try {
    const { mode } = await stat(dir);
    const open = (mode & others) !== 0;
    const folder = open
      ? bad('failed', topic, `${dir} has mode ${octal(mode)}: others may look into it`, `chmod 700 ${dir}.`)
      : ok(topic, `${dir}, mode ${octal(mode)}`);
    const names = (await readdir(dir, { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    const files = await Promise.all(
      names.slice(0, 100).map((name) => secretFile({ ...topic, check: `secret ${name}` }, join(dir, name))),
    );
    return [folder, ...files];
  } catch (error) {
    return [
      bad('failed', topic, reason(error), 'Make the folder for the worker’s user (mode 700), or unset the variable.'),
    ];
  }
}
