/**
 * The engine VM's first boot from the appliance: cloud-init reads its payload and runs engine-setup, which takes its time;
 * what it left on the disk is what every later boot finds (engine.md 14, steps 7 to 10).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { parsePostTasks, type PostTask } from './work/post-tasks.ts';

/** Lab time that engine-setup takes. */
const SETUP_MS = 20_000;
const ANSWERS = '/root/heanswers.conf';
const POST_TASKS = '/etc/ovirt-engine/ansible/ovirt-host-deploy-post-tasks.yml';

const guest = z.object({ adminPassword: z.string().min(1), postTasks: z.string() });
const userData = z.object({
  write_files: z.array(z.object({ path: z.string(), content: z.string() })),
  runcmd: z.array(z.union([z.string(), z.array(z.string())])),
});

export interface Guest {
  readonly database: string;
  readonly adminPassword: string;
  /** Run on each host at the end of its deployment. */
  readonly postTasks: readonly PostTask[];
}

/** What cloud-init makes of the payload; undefined when it holds nothing that would set up an engine. */
function answersOf(payload: string): z.infer<typeof guest> | undefined {
  const files = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(payload, 'utf8')));
  const text = files['user-data'] ?? '';
  if (!text.startsWith('#cloud-config\n')) return undefined;
  const { write_files: written, runcmd } = userData.parse(JSON.parse(text.slice(text.indexOf('\n'))));
  const content = (path: string) => written.find((one) => one.path === path)?.content ?? '';
  const adminPassword = /^OVESETUP_CONFIG\/adminPassword=str:(.+)$/m.exec(content(ANSWERS))?.[1];
  if (adminPassword === undefined || !JSON.stringify(runcmd).includes(`--config-append=${ANSWERS}`)) return undefined;
  return { adminPassword, postTasks: content(POST_TASKS) };
}

/** @returns undefined when no engine will ever run in this VM: nobody set it up */
export async function boot(
  disk: string,
  payload: string | undefined,
  sleep: (labMs: number) => Promise<void>,
): Promise<Guest | undefined> {
  const file = `${disk}.guest.json`;
  if (!existsSync(file)) {
    const answers = payload === undefined ? undefined : answersOf(payload);
    if (answers === undefined) return undefined;
    await sleep(SETUP_MS);
    writeFileSync(file, JSON.stringify(answers), { mode: 0o600 });
  }
  const { adminPassword, postTasks } = guest.parse(JSON.parse(readFileSync(file, 'utf8')));
  return { database: `${disk}.database.json`, adminPassword, postTasks: parsePostTasks(postTasks) };
}
