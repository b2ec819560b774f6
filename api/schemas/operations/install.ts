/** The answers of a fresh install (engine.md 16): each mistake with what is meant. */
import { z } from '@hono/zod-openapi';
import { BlockList, isIP, isIPv4 } from 'node:net';
import { optional } from '../optional.ts';
import { ENGINE_MEMORY_MIB_MIN } from './engine-vm.ts';
import { address, hostName, port, secretName } from './fields.ts';
import { access } from './hosts.ts';

/** he_minimal_disk_size_GB. */
const DISK_GIB_MIN = 50;
const fileStorage = z.enum(['nfs', 'glusterfs'], 'nfs or glusterfs; block storage can’t be installed yet');
const path = z
  .string()
  .regex(/^\/[^\s]*$/, 'an absolute path on the storage server, e.g. /exports/he')
  .openapi({ description: 'An absolute path on the storage server.', example: '/exports/he' });
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$/, 'letters, digits, _ and - only, at most 50');
const ip = z.string().refine((text) => isIP(text) !== 0, 'an IP address');
const mac = z
  .string()
  .regex(/^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$/, 'a unicast MAC address in the form 00:16:3e:12:34:56')
  .transform((text) => text.toLowerCase())
  .openapi({ example: '00:16:3e:12:34:56', description: 'A unicast address that nobody else has.' });

const staticIp = z
  .strictObject({
    address: ip.openapi({ description: 'What the engine’s name resolves to.', example: '192.0.2.10' }),
    prefix: z.number().int().min(1).max(128).openapi({ description: 'Length of the network’s prefix.', example: 24 }),
    gateway: ip.openapi({ description: 'In the same network.', example: '192.0.2.1' }),
    dns: z
      .array(ip)
      .min(1)
      .max(3)
      .openapi({ description: 'Its name servers.', example: ['192.0.2.53'] }),
  })
  .refine(({ address: own, prefix }) => !isIPv4(own) || prefix <= 32, {
    path: ['prefix'],
    error: 'at most 32 for IPv4',
  })
  .refine(
    ({ address: own, prefix, gateway }) => {
      const family = isIPv4(own) ? 'ipv4' : 'ipv6';
      if (isIP(own) !== isIP(gateway) || (family === 'ipv4' && prefix > 32)) return false;
      const network = new BlockList();
      network.addSubnet(own, prefix, family);
      return network.check(gateway, family);
    },
    { path: ['gateway'], error: 'outside the network of the engine VM’s address' },
  );

const networkTest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['dns', 'ping', 'none']) }),
  z.strictObject({ kind: z.literal('tcp'), address, port }),
]);

export const installAnswers = z.strictObject({
  fqdn: z
    .string()
    .regex(
      /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i,
      'the engine’s full name, e.g. engine.example.com',
    )
    .refine((text) => !/^localhost(\.|$)/i.test(text), 'not localhost: the hosts must find the engine under it')
    .openapi({
      example: 'engine.example.test',
      description: 'The engine’s full name; hosts and browsers must resolve it.',
    }),
  adminPasswordSecret: secretName,
  appliancePasswordSecret: secretName,
  host: z.strictObject({
    name: hostName,
    address: address.refine((text) => !/^(localhost|127\.)/i.test(text) || text === '127.0.0.1', 'not localhost'),
    vdsmPort: optional(port.openapi({ description: '54321 unless given.' })),
    bridgeInterface: z
      .string()
      .regex(
        /^(?!team)[A-Za-z][A-Za-z0-9_-]{0,14}(\.\d{1,4})?$/,
        'the interface for the management bridge, e.g. eth0, bond0 or eth0.100 (no team device)',
      )
      .openapi({ example: 'eth0', description: 'The interface that carries the management network.' }),
    access: optional(
      access.openapi({
        description: 'How the engine gets into the host: by its own public key unless root’s password is named.',
      }),
    ),
  }),
  storage: z.strictObject({
    type: fileStorage,
    address,
    path,
    mountOptions: optional(
      z
        .string()
        .regex(/^[^\s]{1,200}$/, 'without spaces')
        .openapi({ description: 'For mount, with commas, without spaces.', example: 'nfsvers=4.1' }),
    ),
    domainName: name.default('hosted_storage').openapi({ description: 'The storage domain’s name in the engine.' }),
  }),
  vm: z.strictObject({
    name: name.default('HostedEngine').openapi({ description: 'The engine VM’s name in the engine.' }),
    memoryMiB: z
      .number()
      .int()
      .min(ENGINE_MEMORY_MIB_MIN, `the engine needs at least ${ENGINE_MEMORY_MIB_MIN} MiB`)
      .default(16_384)
      .openapi({ description: 'Memory of the engine VM.' }),
    vcpus: z.number().int().min(1).max(240).default(4).openapi({ description: 'CPUs of the engine VM.' }),
    diskGiB: z
      .number()
      .int()
      .min(DISK_GIB_MIN, `the engine needs at least ${DISK_GIB_MIN} GiB`)
      .max(8192)
      .default(61)
      .openapi({ description: 'Disk of the engine VM.' }),
    mac,
    staticIp: optional(staticIp.openapi({ description: 'A fixed address; without it DHCP gives one.' })),
  }),
  dataCenter: name.default('Default').openapi({ description: 'Made by the engine’s set-up.' }),
  networkTest: networkTest
    .default({ kind: 'dns' })
    .openapi({ description: 'How hosts test their network; the HA score falls when it fails.' }),
  appliance: z.strictObject({
    source: z
      .string()
      .regex(/^(s3:\/\/[a-z0-9.-]+\/\S+|\/\S+)$/, 's3://bucket/key or an absolute path on the worker’s machine')
      .openapi({ description: 'The appliance’s disk as a raw image.' }),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'SHA-256 in 64 lower-case hexadecimal digits')
      .openapi({ description: 'SHA-256 of the image in 64 lower-case hexadecimal digits.' }),
  }),
  masterDomain: optional(
    z.strictObject({ type: fileStorage, address, path, name }).openapi({
      description: 'The first data domain, on another export. Without it the operation parks when it needs one.',
    }),
  ),
});

/** The hosted-engine domain must never be the master of its data center (engine.md 11.1): it needs an export of its own. */
const separate = installAnswers.refine(
  ({ storage, masterDomain: master }) =>
    master === undefined || master.address !== storage.address || master.path !== storage.path,
  { path: ['masterDomain', 'path'], error: 'another export than the hosted engine’s own' },
);

export const install = {
  operation: z.literal('install'),
  answers: separate.refine(({ storage, masterDomain: master }) => master?.name !== storage.domainName, {
    path: ['masterDomain', 'name'],
    error: 'another name than the hosted engine’s domain has',
  }),
};
