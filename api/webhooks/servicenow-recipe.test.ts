/** The script of infra/servicenow, run with ServiceNow's classes played, and judged by the verifier. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readRequest } from './request.ts';
import { schemeOf } from './verify/schemes.ts';
import type { WebhookSource } from '../ports.ts';

const README = readFileSync(new URL('../../infra/servicenow/README.md', import.meta.url), 'utf8');
const SCRIPT = /^```js\n(.*?)^```$/ms.exec(README)?.[1] ?? '';
const SECRET = `whsec_${Buffer.from('a secret of the test, 32 bytes..').toString('base64')}`;
const SOURCE: WebhookSource = { name: 'servicenow', scheme: 'servicenow', secretFiles: ['x'] };
const CHANGE: Record<string, string> = {
  number: 'CHG0030017',
  short_description: 'Speicher tauschen – Gehäuse "4" 🐏\n',
  sys_mod_count: '12',
  u_bellwether_operation: 'enter-host-maintenance',
  u_bellwether_cluster: 'Default',
  u_bellwether_host: 'host2',
};

interface Sent {
  readonly headers: Headers;
  readonly body: string;
}

/** Runs the rule; `answers` are the statuses it gets, `charset` the one of the instance. */
function run(answers: readonly number[], charset: 'utf8' | 'latin1' = 'utf8') {
  const sent: Sent[] = [];
  const current = {
    work_notes: '',
    updates: 0,
    isValidField: (name: string) => name in CHANGE,
    getValue: (name: string) => CHANGE[name] ?? null,
    getUniqueValue: () => '46e8219ba9fe198101b4ae0eb2d9c0a3',
    update() {
      this.updates += 1;
    },
  };
  class RESTMessageV2 {
    readonly headers = new Headers();
    body = '';
    setEndpoint() {}
    setHttpMethod() {}
    setHttpTimeout() {}
    setRequestHeader(name: string, value: string) {
      this.headers.set(name, value);
    }
    setRequestBody(body: string) {
      this.body = body;
    }
    execute() {
      sent.push({ headers: this.headers, body: this.body });
      const status = answers[sent.length - 1] ?? 202;
      if (status === 0) throw new Error('no route to host');
      return { getStatusCode: () => status, getBody: () => `answer ${status}` };
    }
  }
  class GlideCertificateEncryption {
    generateMac(key: string, algorithm: string, text: string) {
      expect(algorithm).toBe('HmacSHA256');
      return createHmac('sha256', Buffer.from(key, 'base64')).update(Buffer.from(text, charset)).digest('base64');
    }
  }
  const properties: Record<string, string> = { 'bellwether.url': 'https://door', 'bellwether.secret': SECRET };
  const gs = { getProperty: (name: string) => properties[name] ?? '', sleep() {} };
  runInContext(
    SCRIPT,
    createContext({ current, previous: {}, gs, GlideCertificateEncryption, sn_ws: { RESTMessageV2 } }),
  );
  return { sent, current };
}

function judged({ headers, body }: Sent, charset: 'utf8' | 'latin1' = 'utf8') {
  const bytes = Buffer.from(body, charset);
  const header = (name: string) => headers.get(name) ?? undefined;
  return {
    verdict: schemeOf(SOURCE).verify({ body: bytes, header }, [SECRET], new Date()),
    reading: readRequest(SOURCE, bytes),
  };
}

describe('the ServiceNow recipe', () => {
  it.each(['utf8', 'latin1'] as const)(
    'sends what the front door takes, whatever the character set (%s)',
    (charset) => {
      const { sent, current } = run([202], charset);
      expect(sent).toHaveLength(1);
      for (const one of sent) {
        const { verdict, reading } = judged(one, charset);
        expect(verdict).toMatchObject({ ok: true, id: '46e8219ba9fe198101b4ae0eb2d9c0a3-12' });
        expect(reading).toMatchObject({
          kind: 'request',
          request: {
            operation: 'enter-host-maintenance',
            cluster: 'Default',
            ticket: 'CHG0030017',
            host: 'host2',
            reason: CHANGE['short_description'],
          },
        });
      }
      expect([current.work_notes, current.updates]).toEqual(['Bellwether took it: answer 202', 1]);
    },
  );

  it('sends the same delivery again when the front door is away or busy, and says so when it is refused', () => {
    const { sent, current } = run([0, 503, 429, 202]);
    expect(new Set(sent.map(({ headers }) => headers.get('webhook-id'))).size).toBe(1);
    expect(sent).toHaveLength(4);
    expect(sent.every((one) => judged(one).verdict.ok)).toBe(true);
    expect(current.work_notes).toBe('Bellwether took it: answer 202');
    const refused = run([409]);
    expect([refused.sent.length, refused.current.work_notes]).toEqual([1, 'Bellwether refused it (409): answer 409']);
    expect(run([503, 503, 503, 503, 503]).current.work_notes).toBe('Bellwether refused it (503): answer 503');
  });

  it('is ECMAScript 5: older instances know no other', () => {
    expect(SCRIPT).not.toMatch(/=>|`|\b(let|const|class|async|await)\b/);
    expect(SCRIPT.length).toBeGreaterThan(1000);
  });
});
