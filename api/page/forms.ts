/** What comes by forms: checked to come from a page of ours, made for this visitor. */
import { readBody } from '../body.ts';
import { bodyOf, refuse, type AppContext, type Parsed } from '../context.ts';
import { sameSecret } from '../secrets.ts';

const FORM_BYTES_MAX = 16_384;

export type Form = Readonly<Record<string, string>>;

/** A browser names the page that a form is on. Host names are compared: TLS may end before us. */
function foreignOrigin(c: AppContext): string | undefined {
  const origin = c.req.header('origin');
  if (origin === undefined) {
    const site = c.req.header('sec-fetch-site');
    return site === undefined || site === 'same-origin' ? undefined : site;
  }
  const own = c.req.header('host') ?? new URL(c.req.url).host;
  return URL.canParse(origin) && new URL(origin).host === own ? undefined : origin;
}

/**
 * The form's fields; of several with one name the last.
 * @param formToken undefined where the caller shows who it is with each request (bearer)
 * @param secret true: the body is not kept for the audit trail's digest, because it holds a token
 */
export async function formOf(c: AppContext, formToken: string | undefined, secret = false): Promise<Parsed<Form>> {
  const no = (detail: string) => ({ ok: false, response: refuse(c, 'form-refused', detail) }) as const;
  const foreign = foreignOrigin(c);
  if (foreign !== undefined) return no(`it was sent from another site (${foreign})`);
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(c.req.header('content-type') ?? '')) {
    return no('it is no form (application/x-www-form-urlencoded)');
  }
  const body = secret ? await secretBody(c) : await bodyOf(c, FORM_BYTES_MAX);
  if (!body.ok) return body;
  const form: Form = Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body.value)));
  if (formToken !== undefined && !sameSecret(form['form'] ?? '', formToken)) {
    return no('its token is not the one of this session: the page is old, or was made for somebody else');
  }
  return { ok: true, value: form };
}

async function secretBody(c: AppContext): Promise<Parsed<Uint8Array>> {
  const read = await readBody(c.req.raw, c.req.header('content-length'), FORM_BYTES_MAX);
  if (read.ok) return { ok: true, value: read.bytes };
  return { ok: false, response: refuse(c, 'body-too-large', `at most ${read.limit} bytes`) };
}
