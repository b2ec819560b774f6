/** Signing in, and what may be changed by whom. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { hosts, parked, PARKED, TOKENS } from './stage.ts';
import { CLUSTER, signIn, textOf, type Visits } from './visits.ts';

const OPERATION = `/ui/operations/${encodeURIComponent(PARKED)}`;

export function changing(of: () => Visits): void {
  test('retry asks first, then reaches the desk once, with name, reason and key', () =>
    of().visit(of().closed, async (page) => {
      await signIn(page, TOKENS.alice);
      await page.goto(OPERATION);
      await page.getByRole('link', { name: 'Try again' }).click();
      expect(await textOf(page)).toContain('The step Import the storage domain of upgrade/Default/CHG1 is done again');
      expect(of().closed.acts).toEqual([]);
      await page.getByLabel('Reason').fill('data center is up');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.waitForURL((url) => url.search === '');
      const command = { by: 'ui:alice', reason: 'data center is up' };
      expect(of().closed.acts).toEqual([
        { id: PARKED, action: 'retry', command, updateId: expect.stringMatching(/^ui-[0-9a-f-]{36}$/) },
      ]);
    }));

  test('a read-only person sees no buttons, and is refused by the routes; no operator’s form works for them', () =>
    of().visit(of().closed, async (page, context) => {
      await signIn(page, TOKENS.bob);
      await page.getByText('bob, read-only').waitFor();
      for (const path of [CLUSTER, OPERATION]) {
        await page.goto(path);
        expect(await page.locator('.button, main button').count()).toBe(0);
      }
      const before = of().closed.acts.length;
      const headers = { origin: of().closed.served.url };
      for (const path of [OPERATION, `${CLUSTER}/maintenance`, `${CLUSTER}/hosts/host1`]) {
        const answer = await context.request.post(path, { headers, form: { do: 'retry' } });
        expect([answer.status(), (await answer.json()).type]).toEqual([403, '/problems/read-only']);
      }
      expect((await context.request.get(`${OPERATION}?do=retry`)).status()).toBe(403);
      const bearer = { authorization: `Bearer ${TOKENS.bob}`, 'content-type': 'application/json' };
      const api = await context.request.post(`/operations/${encodeURIComponent(PARKED)}/retry`, {
        headers: bearer,
        data: { by: 'bob' },
      });
      expect(api.status()).toBe(403);
      expect(of().closed.acts).toHaveLength(before);
    }));

  test('a wrong token is told, tries are bounded, and the cookie is out of a script’s reach', () =>
    of().visit(of().closed, async (page, context) => {
      await signIn(page, `bob:read-only:${TOKENS.bob}`);
      expect(await page.getByRole('alert').innerText()).toContain('not in the front door’s token file');
      await page.getByLabel('Token').fill(TOKENS.plain);
      await page.keyboard.press('Enter');
      await page.waitForURL(`**${CLUSTER}`);
      const [cookie] = await context.cookies(`${of().closed.served.url}/ui/`);
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/ui' });
      expect(JSON.stringify(of().closed.logs)).not.toContain(TOKENS.plain);
      await page.getByRole('button', { name: 'Sign out' }).click();
      const form = await page.locator('input[name=form]').inputValue();
      const statuses: number[] = [];
      for (let index = 0; index < 12; index++) {
        const fields = { headers: { origin: of().closed.served.url }, form: { form, token: `guess ${index}` } };
        statuses.push((await context.request.post('/ui/sign-in', fields)).status());
      }
      expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
      of().closed.pass(60_000);
    }));

  test('global maintenance by keyboard alone: the form twice is one operation', () =>
    of().visit(of().open, async (page, context) => {
      const focused = async () => String(await page.evaluate('document.activeElement.textContent'));
      await page.goto(CLUSTER);
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('To the content');
      await page.keyboard.press('Enter');
      for (let index = 0; index < 10; index++) {
        await page.keyboard.press('Tab');
        if ((await focused()).startsWith('Switch on')) break;
      }
      await page.keyboard.press('Enter');
      await page.getByText('if it dies, it stays down').waitFor();
      await page.getByLabel('Your name').focus();
      await page.keyboard.type('Zoë');
      await page.keyboard.press('Tab');
      await page.keyboard.type('new switch');
      const fields: unknown = await page.evaluate(
        `Object.fromEntries(new FormData(document.querySelector('form.confirm')))`,
      );
      const posted = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.keyboard.press('Enter');
      expect((await posted).status()).toBe(303);
      const form = z.record(z.string(), z.string()).parse(fields);
      const headers = { origin: of().open.served.url };
      await context.request.post(`${CLUSTER}/maintenance`, { headers, form, maxRedirects: 0 });
      const [first, second] = of().open.orders;
      expect(first?.input.request).toMatchObject({ mode: 'on', requestedBy: 'ui:Zoë', reason: 'new switch' });
      expect(first?.input.request).toHaveProperty('until');
      expect([second?.id, second?.requestId, second?.digest]).toEqual([first?.id, first?.requestId, first?.digest]);
    }));

  test('a host goes into maintenance by a form that says what it means', () =>
    of().visit(of().open, async (page) => {
      const [, host] = hosts();
      const name = host?.name ?? '';
      await page.goto(CLUSTER);
      await page.getByRole('link', { name: `Into maintenance … ${name}` }).click();
      expect(await textOf(page)).toContain(`${name} goes into maintenance in the engine and in HA: its VMs move off`);
      const before = of().open.orders.length;
      // A browser asks for the name itself; nothing is sent without.
      await page.getByRole('button', { name: 'Into maintenance' }).click();
      expect(of().open.orders).toHaveLength(before);
      await page.getByLabel('Your name').fill('Zoë');
      await page.getByLabel('Reason').fill('new DIMMs');
      const posted = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.getByRole('button', { name: 'Into maintenance' }).click();
      expect((await posted).status()).toBe(303);
      expect(of().open.orders.at(-1)?.input.request).toMatchObject({
        operation: 'enter-host-maintenance',
        cluster: 'Default',
        host: name,
        requestedBy: 'ui:Zoë',
        reason: 'new DIMMs',
      });
    }));

  test('skip is offered where the step allows it, says what comes next, and reaches the desk', () =>
    of().visit(of().open, async (page) => {
      await page.goto(OPERATION);
      expect(await page.getByRole('link', { name: 'Skip the step' }).count()).toBe(0);
      of().open.report = { ...parked, actions: ['retry', 'skip', 'abort'] };
      try {
        await page.goto(OPERATION);
        await page.getByRole('link', { name: 'Skip the step' }).click();
        expect(await textOf(page)).toMatch(/Import the storage domain of \S+ is left out\. It goes on with: Verify\./);
        await page.getByLabel('Your name').fill('Zoë');
        await page.getByRole('button', { name: 'Skip the step' }).click();
        await page.waitForURL((url) => url.search === '');
        expect(of().open.acts.at(-1)).toMatchObject({ id: PARKED, action: 'skip', command: { by: 'ui:Zoë' } });
      } finally {
        of().open.report = parked;
      }
    }));

  test('forms without the session’s token, or from another site, are refused', () =>
    of().visit(of().open, async (page, context) => {
      await page.goto(`${OPERATION}?do=retry`);
      const form = await page.locator('input[name=form]').inputValue();
      const fields = { do: 'retry', by: 'eve', key: 'ui-1' };
      const post = (origin: string, more: Record<string, string>) =>
        context.request.post(OPERATION, { headers: { origin }, form: { ...fields, ...more } });
      const before = of().open.acts.length;
      for (const answer of [
        await post(of().open.served.url, {}),
        await post(of().open.served.url, { form: `${form}x` }),
        await post('http://evil.test', { form }),
        await post('null', { form }),
      ]) {
        expect([answer.status(), (await answer.json()).type]).toEqual([403, '/problems/form-refused']);
      }
      expect(of().open.acts).toHaveLength(before);
      await context.request.post(OPERATION, {
        headers: { origin: of().open.served.url },
        form: { ...fields, form },
        maxRedirects: 0,
      });
      expect(of().open.acts).toHaveLength(before + 1);
    }));

  test('without JavaScript all of it can be read and sent', () =>
    of().visit(
      of().closed,
      async (page) => {
        await signIn(page, TOKENS.plain);
        await page.getByRole('link', { name: 'Upgrade CHG1' }).click();
        await page.getByRole('link', { name: 'Abort and undo' }).click();
        await page.getByLabel('Your name').fill('carol');
        await page.getByRole('button', { name: 'Abort and undo' }).click();
        await page.getByText('How it stands').waitFor();
        expect(of().closed.acts.at(-1)).toMatchObject({ action: 'abort', command: { by: 'ui:carol' } });
      },
      { javaScriptEnabled: false },
    ));
}
