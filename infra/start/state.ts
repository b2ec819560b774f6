/** Where the embedded set-up keeps its data: what must survive a restart. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `BELLWETHER_STATE_DIR`, else the user's state folder. */
export function stateDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state');
  const dir = env['BELLWETHER_STATE_DIR'] || join(base, 'bellwether');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}
