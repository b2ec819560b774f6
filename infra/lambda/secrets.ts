/**
 * Secrets of a Lambda function: from AWS Secrets Manager through the Parameters and Secrets extension, which answers on
 * loopback and caches (its TTL is how late a rotation takes effect); from files for what lies in the package.
 */
import { readSecretFile, type ReadSecrets } from '../../api/secrets.ts';

const SCHEME = 'secretsmanager:';
const PORT = 2773;

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns a reader of `secretsmanager:NAME-OR-ARN` and of files: one secret per line, as in a file. */
export function lambdaSecrets(env: Environment): ReadSecrets {
  return async (name) => {
    if (!name.startsWith(SCHEME)) return readSecretFile(name);
    const id = name.slice(SCHEME.length);
    const port = env['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT'] || String(PORT);
    const response = await fetch(`http://127.0.0.1:${port}/secretsmanager/get?secretId=${encodeURIComponent(id)}`, {
      headers: { 'x-aws-parameters-secrets-token': env['AWS_SESSION_TOKEN'] ?? '' },
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`the secrets extension answered ${response.status} for ${id}`);
    const answer: unknown = await response.json();
    const text = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'SecretString') : undefined;
    if (typeof text !== 'string') throw new Error(`secret ${id} is no text`);
    const lines = text.split('\n').map((line) => line.trim());
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
  };
}
