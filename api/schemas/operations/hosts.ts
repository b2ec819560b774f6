import { z } from '@hono/zod-openapi';
import { optional } from '../optional.ts';
import { address, hostName, port, secretName } from './fields.ts';

/** How the engine gets into a host. */
export const access = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('public-key') }),
  z.strictObject({ kind: z.literal('password'), passwordSecret: secretName }),
]);

export const addHost = {
  operation: z.literal('add-host'),
  host: hostName,
  address,
  vdsmPort: optional(port.openapi({ description: '54321 unless given.' })),
  access: access.default({ kind: 'public-key' }).openapi({
    description:
      'How the engine gets into the host: by its own public key, or by root’s password, of which only the name is sent.',
  }),
  sshPort: optional(port.openapi({ description: 'Of its SSH server; 22 unless given.' })),
  agent: z.enum(['reference', 'bellwether']).default('reference').openapi({
    description: 'Whose HA services the host runs: ovirt-ha-agent and -broker, or Bellwether’s worker.',
  }),
  sshKeySecret: optional(
    secretName.openapi({
      description:
        'With agent bellwether: name of the secret with root’s private SSH key, with which the worker is put there; without it root’s password is used.',
    }),
  ),
  sshFingerprint: optional(
    z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'as ssh-keygen -l prints it: SHA256:…')
      .openapi({
        description:
          'With agent bellwether, of a host that the engine does not know yet: fingerprint of its SSH host key. With it the host is looked at before anything is touched; without it, once the engine knows its key.',
        example: 'SHA256:uNiVztksCsDhcc0u9e8BrYJhaKiJlzZ/2bBLbFYKZXA',
      }),
  ),
};

interface WantedAgent {
  readonly agent: string;
  readonly access: { readonly kind: string };
  readonly sshKeySecret?: string;
  readonly sshFingerprint?: string;
}

/** What cannot work is refused at the door. */
export const needsSshLogin = ({ agent, access: { kind }, sshKeySecret }: WantedAgent) =>
  agent !== 'bellwether' || kind === 'password' || sshKeySecret !== undefined;
export const sshLoginRule = {
  path: ['sshKeySecret'],
  error:
    'needed because agent is bellwether and access is public-key: that key is the engine’s, and this orchestrator logs in by itself. Name a secret with root’s private key, or give root’s password (access password)',
};
export const sshOnlyForOurs = ({ agent, sshKeySecret, sshFingerprint }: WantedAgent) =>
  agent === 'bellwether' || (sshKeySecret === undefined && sshFingerprint === undefined);
export const sshOnlyRule = {
  path: ['agent'],
  error:
    'must be bellwether where sshKeySecret or sshFingerprint is given: with agent reference nobody but the engine logs in',
};

export const removeHost = {
  operation: z.literal('remove-host'),
  host: hostName,
  fromEngine: z.boolean().default(false).openapi({
    description: 'True: the host leaves the engine too; else it stays there without hosted engine.',
  }),
  dead: optional(
    z.boolean().openapi({
      description:
        'True: you vouch that the host is gone for good and without power. Nothing is undeployed from it; the engine gives it up, its slot is emptied, and it leaves the engine. Needs fromEngine.',
    }),
  ),
  sshKeySecret: optional(
    secretName.openapi({
      description:
        'Where Bellwether’s worker serves the host: name of the secret with root’s private SSH key, with which the worker is taken away.',
    }),
  ),
  passwordSecret: optional(
    secretName.openapi({ description: 'The same by root’s password: name of the secret that holds it.' }),
  ),
};

/** A dead host that stays in the engine would keep its host id and be counted on. */
export const deadLeaves = ({ fromEngine, dead }: { readonly fromEngine: boolean; readonly dead?: boolean }) =>
  dead !== true || fromEngine;
export const deadRule = {
  path: ['fromEngine'],
  error: 'must be true where dead is: a host that is gone for good leaves the engine too',
};

interface LeavingHost {
  readonly dead?: boolean;
  readonly sshKeySecret?: string;
  readonly passwordSecret?: string;
}
export const oneWayIn = ({ dead, sshKeySecret, passwordSecret }: LeavingHost) =>
  [dead === true, sshKeySecret !== undefined, passwordSecret !== undefined].filter(Boolean).length <= 1;
export const oneWayInRule = {
  path: ['sshKeySecret'],
  error:
    'give one of sshKeySecret and passwordSecret, and neither with dead: nobody logs in to a host that is gone for good',
};
