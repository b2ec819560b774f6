/** What only the front door can say of itself: its token file, and the secret files of its sources. */
import { stat } from 'node:fs/promises';
import type { Finding } from '../../workflows/model/look.ts';
import type { AppPorts } from '../ports.ts';

const octal = (mode: number) => (mode & 0o777).toString(8).padStart(3, '0');

async function secretFile(ports: AppPorts, check: string, why: string, file: string): Promise<Finding> {
  const about = { area: 'front door', check, why } as const;
  try {
    const [lines, { mode }] = await Promise.all([ports.readSecrets(file), stat(file)]);
    if (lines.length === 0)
      return { ...about, result: 'failed', seen: `${file} holds no secret`, remedy: 'Write it, one a line.' };
    const seen = `${file}: ${lines.length} ${lines.length === 1 ? 'secret' : 'secrets'}, mode ${octal(mode)}`;
    if ((mode & 0o007) !== 0) {
      return {
        ...about,
        result: 'failed',
        seen: `${seen}: everybody on this machine may use it`,
        remedy: `chmod 600 ${file}, and put a new secret into it.`,
      };
    }
    return { ...about, result: 'ok', seen };
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error);
    return { ...about, result: 'failed', seen, remedy: 'Make the file, readable for the front door’s user only.' };
  }
}

export async function doorChecks(ports: AppPorts): Promise<Finding[]> {
  const { apiTokenFile, sources } = ports;
  const open: Finding = {
    area: 'front door',
    check: 'token',
    result: 'ok',
    seen: 'none is configured: it listens on loopback only',
    why: 'whoever may call it may change the hosted engine',
  };
  const token = apiTokenFile === undefined ? open : await secretFile(ports, 'token', open.why, apiTokenFile);
  const files = await Promise.all(
    sources.flatMap(({ name, secretFiles }) =>
      secretFiles.map((file) =>
        secretFile(ports, `secret of webhook source ${name}`, 'who has it starts operations', file),
      ),
    ),
  );
  return [token, ...files];
}
