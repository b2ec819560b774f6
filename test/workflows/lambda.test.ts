/** The Lambda function as it ships: one bundled file in a process of its own, secrets through the extension's port, a real Temporal. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { FORGED_SECRET, SECRET, delivery } from '../../api/testing/delivery.ts';
import { LAMBDA_EVENTS } from '../../api/testing/lambda-events.ts';
import { bundleLambda, type LambdaBundle } from '../../infra/lambda/bundle.ts';

const SECRETS: Readonly<Record<string, string>> = {
  'door/servicedesk': SECRET,
  'door/tokens': 'token-of-the-function',
};
const SESSION = 'session-token-of-the-instance';
/** The bundle is 2.1 MB; the worker's native part or the AWS SDK would add many times that. */
const BYTES_MAX = 2_300_000;

let dir: string;
let bundle: LambdaBundle;
let extension: Server;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-lambda-'));
  bundle = await bundleLambda(dir);
  const webhooks = join(dir, 'webhooks.json');
  const source = { name: 'servicedesk', scheme: 'standard', secretFiles: ['secretsmanager:door/servicedesk'] };
  writeFileSync(webhooks, JSON.stringify([source]));
  extension = createServer((request, response) => {
    const id = new URL(request.url ?? '', 'http://extension').searchParams.get('secretId') ?? '';
    const allowed = request.headers['x-aws-parameters-secrets-token'] === SESSION && SECRETS[id] !== undefined;
    response.writeHead(allowed ? 200 : 400).end(JSON.stringify({ Name: id, SecretString: SECRETS[id] }));
  });
  await new Promise<void>((resolve) => extension.listen(0, '127.0.0.1', resolve));
  const address = extension.address();
  const { address: temporal, namespace } = inject('temporal');
  env = {
    PATH: process.env['PATH'],
    BELLWETHER_CLUSTERS: 'lambda',
    BELLWETHER_TASK_QUEUE: 'lambda',
    BELLWETHER_WEBHOOKS_FILE: webhooks,
    BELLWETHER_API_TOKEN_FILE: 'secretsmanager:door/tokens',
    TEMPORAL_ADDRESS: temporal,
    TEMPORAL_NAMESPACE: namespace,
    AWS_SESSION_TOKEN: SESSION,
    PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: String(typeof address === 'object' ? address?.port : 0),
  };
});
afterAll(() => {
  extension.close();
  rmSync(dir, { recursive: true, force: true });
});

const answers = z.array(z.object({ statusCode: z.number(), body: z.string() }));

/** Sends the requests to one instance of the function. */
async function invoke(requests: readonly Request[], change: NodeJS.ProcessEnv = {}, tries = 10) {
  const toEvent = LAMBDA_EVENTS['function URL'];
  if (toEvent === undefined) throw new Error('no function URL');
  const events = await Promise.all(requests.map(toEvent));
  const file = join(dir, 'events.json');
  writeFileSync(file, JSON.stringify(events));
  const script = `
    const { handler } = await import(${JSON.stringify(bundle.file)});
    const { readFileSync, writeFileSync } = await import('node:fs');
    const answers = [];
    for (const event of JSON.parse(readFileSync(${JSON.stringify(file)}, 'utf8'))) {
      let answer = await handler(event, {});
      // As a sender does: a busy Temporal is answered for with 503.
      for (let tries = 1; answer.statusCode === 503 && tries < ${tries}; tries += 1) answer = await handler(event, {});
      answers.push(answer);
    }
    writeFileSync(3, JSON.stringify(answers));
    process.exit(0);`;
  const output = join(dir, 'answers.json');
  const shell = `exec "${process.execPath}" --input-type=module -e "$SCRIPT" 3>"${output}" >/dev/null`;
  await promisify(execFile)('sh', ['-c', shell], { env: { ...env, ...change, SCRIPT: script }, timeout: 30_000 });
  const { readFileSync } = await import('node:fs');
  return answers.parse(JSON.parse(readFileSync(output, 'utf8')));
}

const FUNCTION = 'https://function.example.test';
const upgrade = (secret = SECRET): Request =>
  delivery(FUNCTION, 'msg_lambda', { operation: 'upgrade', cluster: 'lambda', ticket: 'CHG1' }, secret);

test('is one small file without the worker’s and the AWS SDK’s code', () => {
  expect(bundle.bytes).toBeLessThan(BYTES_MAX);
  expect(bundle.inputs.filter((path) => /@temporalio\/(worker|core-bridge|activity)|@aws-sdk/.test(path))).toEqual([]);
});

test('starts an operation once, asks for its token, and refuses what is forged', async () => {
  const list = (token: string) =>
    new Request(`${FUNCTION}/operations`, { headers: { authorization: `Bearer ${token}` } });
  const [first, again, refused, listed, unlisted, style] = await invoke([
    upgrade(),
    upgrade(),
    upgrade(FORGED_SECRET),
    list('token-of-the-function'),
    list('another'),
    new Request(`${FUNCTION}/ui/style.css`),
  ]);
  expect([first?.statusCode, again?.statusCode]).toEqual([202, 202]);
  expect(again?.body).toBe(first?.body);
  expect([refused?.statusCode, listed?.statusCode, unlisted?.statusCode]).toEqual([401, 200, 401]);
  expect(style?.body).toContain('prefers-color-scheme');
  const { address, namespace } = inject('temporal');
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection, namespace });
  const handle = workflow.getHandle('upgrade/lambda/CHG1');
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await handle.terminate();
  await connection.close();
});

test('says 503 while Temporal is away, instead of not starting', async () => {
  const [answer] = await invoke([upgrade()], { TEMPORAL_ADDRESS: '127.0.0.1:9' }, 1);
  expect(answer?.statusCode).toBe(503);
});

test('its template passes the linter', ({ skip }) => {
  const template = fileURLToPath(new URL('../../infra/lambda/template.yaml', import.meta.url));
  const linter = process.env['CFN_LINT'] || 'cfn-lint';
  try {
    execFileSync(linter, ['--version']);
  } catch {
    skip(`${linter} is not installed (pip install cfn-lint)`);
  }
  expect(execFileSync(linter, [template]).toString()).toBe('');
});
