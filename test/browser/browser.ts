/** A headless Chromium of this machine, if there is one. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** `CHROMIUM_PATH`, the usual place, then PATH; undefined: there is none. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  const inPath = PATH.split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  return [CHROMIUM_PATH ?? '', '/usr/bin/chromium', ...inPath].filter(Boolean).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function launch(executablePath: string): Promise<Browser> {
  // As root Chromium's sandbox refuses to start; the pages are ours.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-lcd-text'] });
}
