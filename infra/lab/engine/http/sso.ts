/** The single sign-on endpoints (engine.md 1.1, 1.2). They take any method, and parameters from form and query alike. */
import type { Answer } from './answer.ts';
import { jsonAnswer } from './answer.ts';
import type { Incoming } from './incoming.ts';
import { formOf } from './incoming.ts';
import type { Sessions } from './sessions.ts';

/** The account's end, not the token's: an account that never expires has the largest 64 bit number. */
const NEVER = '9223372036854775807';
/** `ovirt-app-api` and what it depends on, sorted. */
const API_SCOPES =
  'ovirt-app-api ovirt-ext=token-info:authz-search ovirt-ext=token-info:public-authz-search ovirt-ext=token-info:validate ovirt-ext=token:password-access';

/** Answers an SSO path, or `undefined` when the path is none. */
export function sso(incoming: Incoming, sessions: Sessions): Answer | undefined {
  const { path, form } = formOf(incoming);
  switch (path) {
    case '/ovirt-engine/sso/oauth/token':
    case '/ovirt-engine/sso/oauth/token-http-auth':
      return token(incoming, form, sessions);
    case '/ovirt-engine/sso/oauth/token-info':
      return tokenInfo(form, sessions);
    case '/ovirt-engine/sso/oauth/revoke':
    case '/ovirt-engine/services/sso-logout':
      // An unknown token, also an empty one, is no error.
      sessions.revoke(form.get('token') ?? '');
      return jsonAnswer(200, {});
    default:
      return undefined;
  }
}

/** Failures are 400; a request for API scopes only has the members the other way round (engine.md 1.1). */
function failure(scope: string, code: string, text: string): Answer {
  const apiOnly = scope.split(/\s+/).every((one) => one === 'ovirt-app-api' || one === '');
  return jsonAnswer(400, apiOnly ? { error_code: code, error: text } : { error: code, error_description: text });
}

function token(incoming: Incoming, form: URLSearchParams, sessions: Sessions): Answer {
  const scope = form.get('scope') ?? '';
  // Exact equality, as the servlet compares: a list or `*/*` is no valid request.
  if (incoming.header('accept') !== 'application/json')
    return failure(scope, 'invalid_request', 'Unsupported Accept header in request');
  const missing = ['grant_type', 'scope'].find((name) => !form.get(name));
  if (missing !== undefined) return failure(scope, 'invalid_request', `Missing parameter: '${missing}'`);
  if (!scope.split(/\s+/).some((one) => one.startsWith('ovirt-'))) {
    return failure(scope, 'invalid_scope', `The requested scope '${scope}' is invalid, unknown, or malformed.`);
  }
  switch (form.get('grant_type')) {
    case 'password':
      return passwordGrant(form, scope, sessions);
    case 'urn:ovirt:params:oauth:grant-type:http':
      return failure(scope, 'access_denied', 'Cannot authenticate user No valid profile found in credentials..');
    case 'authorization_code':
      return failure(scope, 'invalid_grant', 'The provided authorization grant for the auth code has expired.');
    default:
      return failure(scope, 'unsupported_grant_type', 'Unsupported Grant Type');
  }
}

function passwordGrant(form: URLSearchParams, scope: string, sessions: Sessions): Answer {
  const missing = ['username', 'password'].find((name) => !form.has(name));
  if (missing !== undefined) return failure(scope, 'invalid_request', `Missing parameter: '${missing}'`);
  const refusal = sessions.refusal(form.get('username') ?? '', form.get('password') ?? '');
  if (refusal !== undefined) return failure(scope, 'access_denied', refusal);
  return jsonAnswer(200, {
    access_token: sessions.issue(),
    scope: scope.includes('ovirt-app-api') ? API_SCOPES : scope,
    exp: NEVER,
    token_type: 'bearer',
  });
}

function tokenInfo(form: URLSearchParams, sessions: Sessions): Answer {
  const token = form.get('token') ?? '';
  const scope = form.get('scope') ?? '';
  if (token === '') return failure(scope, 'invalid_request', "Missing parameter: 'token'");
  if (!sessions.knows(token))
    return failure(scope, 'invalid_grant', 'The provided authorization grant for the token has expired.');
  return jsonAnswer(200, {
    active: true,
    token_type: 'bearer',
    scope: API_SCOPES,
    exp: NEVER,
    client_id: 'ovirt-engine-core',
  });
}
