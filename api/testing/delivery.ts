/** Deliveries as a sender makes them: signed by the reference library, not by our own code. */
import { Webhook } from 'standardwebhooks';

export const SECRET = `whsec_${Buffer.from('a secret of the test, 32 bytes..').toString('base64')}`;
/** Somebody else’s. */
export const FORGED_SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

/** Headers of a body that is sent now. */
export function signedHeaders(body: string, id: string, secret = SECRET): Record<string, string> {
  const now = new Date();
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, now, body),
  };
}

/** A request to `operation.requested` at the source servicedesk. `url`: of the front door. */
export function delivery(url: string, id: string, data: object, secret = SECRET): Request {
  const body = JSON.stringify({ type: 'operation.requested', data });
  const headers = signedHeaders(body, id, secret);
  return new Request(new URL('/webhooks/servicedesk', url), { method: 'POST', headers, body });
}
