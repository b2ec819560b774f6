/** For pictures: the whole product on a lab, with a browser, and all of it ended again. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { OperationTiming } from '../../workflows/model/operation.ts';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import { labSecrets } from '../../infra/plays/play.ts';
import { startPlatform, type Platform } from '../../infra/start/platform.ts';
import { startService, type Service } from '../../infra/start/service.ts';
import { logThrough } from '../../workers/orchestrator/worker.ts';
import { findChromium, launch } from './browser.ts';
import { squeeze } from './png.ts';

export interface LabRun {
  readonly lab: Lab;
  readonly platform: Platform;
  readonly service: Service;
  readonly browser: Browser;
}

export const say = (line: string) => void process.stdout.write(`${line}\n`);

export async function onLab(timing: OperationTiming, use: (run: LabRun) => Promise<void>): Promise<void> {
  const executable = findChromium();
  if (executable === undefined) throw new Error('no chromium: set CHROMIUM_PATH');
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-pictures-'));
  const logger = pino({ level: 'warn' }, pino.destination(join(dir, 'bellwether.log')));
  logThrough(logger);
  const platform = await startPlatform({ dir, env: process.env, say });
  const lab = await startLab({ dir: join(dir, 'lab'), speed: 5 });
  const service = await startService({
    platform,
    worker: {
      clusters: [{ name: lab.fixture.cluster.name, engine: lab.ready.engine, hosts: lab.ready.hosts }],
      bucket: 'bellwether-pictures',
      taskQueue: 'bellwether',
      logLevel: 'warn',
      tickets: undefined,
      timing,
      secretsDir: labSecrets(lab, dir, readFileSync(lab.ready.engine.passwordFile, 'utf8').trim()),
    },
    door: { host: '127.0.0.1', port: 0, sources: [], apiTokenFile: undefined },
    logger,
  });
  const browser = await launch(executable);
  try {
    await use({ lab, platform, service, browser });
  } finally {
    await browser.close();
    const started = Date.now();
    await service.stop();
    say(`front door and worker stopped in ${Date.now() - started} ms`);
    await lab.close();
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A command or a start through the operations API. */
export async function order({ service }: LabRun, path: string, body: object): Promise<void> {
  const answer = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-by': 'webhook:servicedesk' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export async function onPage<T>(
  { browser }: LabRun,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  try {
    return await use(page);
  } finally {
    await context.close();
  }
}

/** @throws when it is too large for a repository */
export async function picture(page: Page, file: string, bytesMax: number): Promise<void> {
  const png = squeeze(await page.screenshot());
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, png);
  say(`${file}: ${png.length} bytes`);
  if (png.length > bytesMax) throw new Error(`${file} has more than ${bytesMax} bytes`);
}
