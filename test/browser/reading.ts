/** What the page shows, and how it keeps up. */
import { expect, test } from 'vitest';
import { parked, PARKED, running, saturday } from './stage.ts';
import { CLUSTER, textOf, type Visits } from './visits.ts';

const OPERATION = `/ui/operations/${encodeURIComponent(PARKED)}`;

export function reading(of: () => Visits): void {
  test('shows the reference’s summary lines word for word, and none where it is not configured', () =>
    of().visit(of().open, async (page) => {
      await page.goto('/');
      const lines = await page.locator('.summary').allInnerTexts();
      expect(lines).toEqual(['Hosted Engine HA: Active (score: 3400)', '[Local Maintenance Enabled]', 'Not Active']);
      expect(await page.locator('.host').count()).toBe(4);
      expect(await textOf(page)).toContain('No other host could take the engine over now.');
      expect(page.url()).toContain(CLUSTER);
    }));

  test('a step comes by an event, is read out, and the list of nothing else is touched', () =>
    of().visit(of().open, async (page) => {
      of().open.report = running;
      const asked: string[] = [];
      page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(OPERATION);
      await page.evaluate(`globalThis.kept = document.querySelector('.steps li')`);
      of().open.report = parked;
      await page.getByText('Activate the data center, then retry.').waitFor();
      expect(await page.locator('#news').innerText()).toContain('is parked, step 2 of 3: Import the storage domain');
      expect(await page.evaluate(`globalThis.kept === document.querySelector('.steps li')`)).toBe(true);
      expect(asked.filter((path) => path === OPERATION || path === decodeURIComponent(OPERATION))).toHaveLength(1);
      expect(asked).toContain('/ui/events');
    }));

  test('a window shows when it opens next, how its last opening ended, and what it runs; one that is open or paused says so', () =>
    of().visit(of().open, async (page) => {
      const one = saturday();
      const paused = { ...one, paused: 'by cli:alice: the storage is being moved' };
      of().open.windows = [one, { ...one, open: true }, paused];
      try {
        await page.goto('/ui/windows');
        const [next, open, stopped] = await page.locator('#windows article').allInnerTexts();
        // 22:00 in Berlin is 21:00 UTC in winter and 20:00 in summer.
        expect(next).toMatch(/Next\s+\S+ 2[01]:00:00 UTC to .+ UTC \(Sat \S+ 22:00 \+0[12]:00\)/);
        expect(next).toMatch(/Last\s+done, 2026-11-14 21:00:00 UTC/);
        expect(next).toMatch(/Opens\s+every sat 22:00 \(Europe\/Berlin\), for 240 minutes/);
        expect(next).toContain('Rolling host update, Backup, in global maintenance');
        expect(open).toContain('open now');
        expect(stopped).toContain('paused by cli:alice: the storage is being moved');
        expect(await page.locator('#windows').getAttribute('data-news')).toBe('3 windows, 1 open');
      } finally {
        of().open.windows = [];
      }
    }));

  test('what was seen last stays, with its age and the reason, when a look fails or the door is gone', () =>
    of().visit(of().open, async (page) => {
      const again = () => page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
      await page.goto(CLUSTER);
      const seen = of().open.look;
      of().open.look = { outcome: 'no-worker', why: 'no worker polls the queue' };
      of().open.listFails = true;
      of().open.pass(3100);
      try {
        await again();
        // The shared look is old now.
        await page.getByText('Can’t be seen now: the worker').waitFor();
        expect(await page.locator('#status.stale .summary').count()).toBe(3);
        expect(await textOf(page)).toMatch(/What follows was seen \d+ s ago/);
        expect(await textOf(page)).toContain('no worker polls the queue');
        await page.getByText('the connection was refused').waitFor();
        await page.route('**/parts/status', (route) => route.abort());
        await again();
        await page.getByText('The front door can’t be reached.').first().waitFor();
        expect(await page.locator('.summary').count()).toBe(3);
      } finally {
        of().open.look = seen;
        of().open.listFails = false;
      }
    }));
}
