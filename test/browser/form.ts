/** What holds for each page: accessible, escaped, within its policy. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { look } from '../../api/clusters/testing.ts';
import { hosts, openStage, parked, PARKED } from './stage.ts';
import { CLUSTER, textOf, type Visits } from './visits.ts';

const OPERATION = `/ui/operations/${encodeURIComponent(PARKED)}`;

export function eachPage(of: () => Visits): void {
  test('what others call themselves stays text', async () => {
    const evil = '<img src=x onerror="document.title=1">"\'><script>document.title=2</script>';
    const [host] = hosts();
    const stage = await openStage();
    try {
      const named = hosts().map((one) =>
        one.name === host?.name ? { ...one, name: evil, scoreReasons: [evil] } : one,
      );
      stage.look = {
        outcome: 'seen',
        value: look({ hosts: named, missing: [{ what: evil, why: evil, remedy: evil }] }),
      };
      stage.report = { ...parked, ticket: evil, note: evil, requestedBy: evil, outcome: evil };
      await of().visit(stage, async (page) => {
        for (const path of [CLUSTER, OPERATION, `${CLUSTER}/hosts/${encodeURIComponent(evil)}?do=maintenance`]) {
          await page.goto(path);
          expect(await page.locator('img').count()).toBe(0);
          expect(await page.locator('script').count()).toBe(1);
          expect(await textOf(page)).toContain('<img src=x onerror=');
        }
      });
    } finally {
      await stage.stop();
    }
  });

  test('axe finds nothing, in light, dark and on a phone, which scrolls down only', async () => {
    const paths = [
      CLUSTER,
      OPERATION,
      `${OPERATION}?do=abort`,
      `${CLUSTER}/maintenance?mode=on`,
      '/ui/windows',
      '/ui/deliveries',
      '/ui/operations/none',
      '/api',
    ];
    const run = (page: Page, ...rules: string[]) => {
      const options = { resultTypes: ['violations'], ...(rules.length === 0 ? {} : { runOnly: rules }) };
      return page.evaluate(`axe.run(${JSON.stringify(options)}).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')).join('; '))`);
    };
    const examine = async (page: Page, path: string) => {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(path);
      // The API reference has many calls and fields, all made alike: a few of each are enough.
      await page.evaluate(`{
        const many = '.call:nth-of-type(n+3), details:nth-of-type(n+2), .fields > li:nth-child(n+7)';
        document.querySelectorAll(many).forEach((one) => one.remove());
        document.querySelectorAll('details').forEach((one) => { one.open = true; });
      }`);
      await page.evaluate(axe.source);
      const light = await run(page);
      // Colours are all that darkness changes, and room all that a phone does.
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.evaluate(`document.querySelector('#status')?.classList.add('stale')`);
      const dark = await run(page, 'color-contrast');
      await page.setViewportSize({ width: 360, height: 740 });
      const phone = await run(page, 'target-size');
      const tooWide = await page.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)');
      return { path, light, dark, phone, tooWide };
    };
    const inside = of().visit(of().open, async (page) => {
      const all: Awaited<ReturnType<typeof examine>>[] = [];
      for (const path of paths) all.push(await examine(page, path));
      return all;
    });
    const outside = of().visit(of().closed, (page) => examine(page, '/ui/sign-in'));
    const none = { light: '', dark: '', phone: '', tooWide: 0 };
    const expected = [...paths, '/ui/sign-in'].map((path) => ({ path, ...none }));
    expect([...(await inside), await outside]).toEqual(expected);
    // A machine that runs other tests, too, takes its time for that many pages.
  }, 60_000);

  test('assets are asked for by ETag; the policy knows no inline script, and nothing broke it', async () => {
    const { url } = of().open.served;
    const page = await fetch(url + CLUSTER);
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
    for (const name of ['style.css', 'page.js']) {
      const etag = (await fetch(`${url}/ui/${name}`)).headers.get('etag') ?? '';
      expect((await fetch(`${url}/ui/${name}`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    }
    expect(of().violations).toEqual([]);
  });
}
