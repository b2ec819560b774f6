/** What all tests of the page share: one browser, a door that is open to this machine, one that asks for a token. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launch } from './browser.ts';
import { openStage, type BrowserStage } from './stage.ts';

export const CLUSTER = '/ui/clusters/Default';

export class Visits {
  /** What broke the policy, and errors of the script. */
  readonly violations: string[] = [];
  readonly #browser: Browser;
  readonly open: BrowserStage;
  readonly closed: BrowserStage;

  private constructor(browser: Browser, open: BrowserStage, closed: BrowserStage) {
    this.#browser = browser;
    this.open = open;
    this.closed = closed;
  }

  static async begin(executable: string): Promise<Visits> {
    return new Visits(await launch(executable), await openStage(), await openStage({ apiTokenFile: '/tokens' }));
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await Promise.all([this.open.stop(), this.closed.stop()]);
  }

  /** A page of a browser that was never here before. */
  async visit<T>(
    stage: BrowserStage,
    use: (page: Page, context: BrowserContext) => Promise<T>,
    options: BrowserContextOptions = {},
  ): Promise<T> {
    const context = await this.#browser.newContext({ baseURL: stage.served.url, ...options });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.violations.push(`${page.url()}: ${String(error)}`));
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.violations.push(`${page.url()}: ${message.text()}`);
    });
    page.setDefaultTimeout(10_000);
    try {
      return await use(page, context);
    } finally {
      await context.close();
    }
  }
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.goto(CLUSTER);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export const textOf = (page: Page): Promise<string> => page.locator('main').innerText();
