import { expect, test } from 'vitest';
import { operationBody, webhookRequest } from '../request.ts';

const HOST = { operation: 'add-host', cluster: 'Default', host: 'host4', address: '192.0.2.4' };
const FINGERPRINT = `SHA256:${'a'.repeat(43)}`;

function problems(change: object, host: object = HOST): string[] {
  const bodies = [
    operationBody.safeParse({ ...host, ...change }),
    webhookRequest.safeParse({ ...host, ticket: 'CHG1', ...change }),
  ];
  const [first = [], second = []] = bodies.map((parsed) =>
    parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  );
  expect(second).toEqual(first);
  return first;
}

test.each([
  ['root’s password', { access: { kind: 'password', passwordSecret: 'root4' } }],
  ['a key of our own', { sshKeySecret: 'bellwether-key', sshPort: 2222, sshFingerprint: FINGERPRINT }],
])('Bellwether’s worker is put there with %s', (_, change) => {
  expect(problems({ agent: 'bellwether', ...change })).toEqual([]);
});

test('it can’t be put there with the engine’s key, which only the engine has', () => {
  const [problem = '', ...more] = problems({ agent: 'bellwether' });
  expect(problem).toMatch(/^sshKeySecret: needed because agent is bellwether and access is public-key/);
  expect(problem).toContain('Name a secret with root’s private key');
  expect(more).toEqual([]);
});

test('what nobody would use is refused, and a fingerprint must be one', () => {
  expect(problems({ sshKeySecret: 'key' })).toEqual([expect.stringMatching(/^agent: must be bellwether/)]);
  const change = { agent: 'bellwether', sshKeySecret: 'key', sshFingerprint: 'MD5:00:11' };
  expect(problems(change)).toEqual([expect.stringMatching(/^sshFingerprint: as ssh-keygen -l prints it/)]);
  expect(problems({ sshPort: 0 })).toHaveLength(1);
});

test('removing a host takes one way in, and none to a host that is gone for good', () => {
  const leaving = { operation: 'remove-host', cluster: 'Default', host: 'host4', fromEngine: true };
  const oneWay = [expect.stringMatching(/^sshKeySecret: give one of sshKeySecret and passwordSecret/)];
  expect(problems({ sshKeySecret: 'key' }, leaving)).toEqual([]);
  expect(problems({ passwordSecret: 'root4' }, leaving)).toEqual([]);
  expect(problems({ sshKeySecret: 'key', passwordSecret: 'root4' }, leaving)).toEqual(oneWay);
  expect(problems({ dead: true, sshKeySecret: 'key' }, leaving)).toEqual(oneWay);
});
