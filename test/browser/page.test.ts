/** The status page in a real browser, before a real server with made-up ports. */
import { afterAll, beforeAll, describe } from 'vitest';
import { findChromium } from './browser.ts';
import { changing } from './changing.ts';
import { eachPage } from './form.ts';
import { reading } from './reading.ts';
import { Visits } from './visits.ts';

const executable = findChromium();
if (executable === undefined) console.warn('no chromium (CHROMIUM_PATH, /usr/bin, PATH): the page is not looked at');

describe.skipIf(executable === undefined)('the status page', () => {
  let visits: Visits | undefined;
  const of = () => visits ?? expectVisits();
  beforeAll(async () => {
    visits = await Visits.begin(executable ?? '');
  });
  afterAll(() => visits?.end());
  reading(of);
  changing(of);
  eachPage(of);
});

function expectVisits(): never {
  throw new Error('the browser did not start');
}
