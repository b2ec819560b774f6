/** A request as the event that AWS makes of it; the shapes are those of its documentation's samples. */
import type { LambdaEvent } from 'hono/aws-lambda';

const headersOf = (request: Request): Record<string, string> => Object.fromEntries(request.headers);
const listsOf = (headers: Record<string, string>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

interface Parts {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
}

/** Gateways encode what they take for binary: an event must be read the same either way. */
async function partsOf(request: Request, base64: boolean): Promise<Parts> {
  const bytes = Buffer.from(await request.arrayBuffer());
  const url = new URL(request.url);
  const headers = {
    host: url.host,
    ...headersOf(request),
    ...(bytes.length === 0 ? {} : { 'content-length': String(bytes.length) }),
  };
  const body = bytes.length === 0 ? null : bytes.toString(base64 ? 'base64' : 'utf8');
  return { url, method: request.method, headers, body, isBase64Encoded: base64 && body !== null };
}

function restApi({ url, method, headers, body, isBase64Encoded }: Parts): LambdaEvent {
  return {
    version: '1.0',
    resource: '/{proxy+}',
    path: url.pathname,
    httpMethod: method,
    headers,
    multiValueHeaders: listsOf(headers),
    queryStringParameters: Object.fromEntries(url.searchParams),
    multiValueQueryStringParameters: listsOf(Object.fromEntries(url.searchParams)),
    requestContext: {
      accountId: '123456789012',
      apiId: 'id',
      authorizer: { claims: null, scopes: null },
      domainName: url.host,
      domainPrefix: 'id',
      extendedRequestId: 'request-id',
      httpMethod: method,
      identity: { sourceIp: '192.0.2.7', userAgent: 'curl/8.5.0' },
      path: url.pathname,
      protocol: 'HTTP/1.1',
      requestId: 'id=',
      requestTime: '21/Nov/2026:14:26:00 +0000',
      requestTimeEpoch: 1_795_271_160_000,
      resourcePath: '/{proxy+}',
      stage: '$default',
    },
    body,
    isBase64Encoded,
  };
}

function httpApi({ url, method, headers, body, isBase64Encoded }: Parts): LambdaEvent {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    queryStringParameters: Object.fromEntries(url.searchParams),
    requestContext: {
      accountId: '123456789012',
      apiId: 'api-id',
      authentication: null,
      authorizer: {},
      domainName: url.host,
      domainPrefix: 'id',
      http: { method, path: url.pathname, protocol: 'HTTP/1.1', sourceIp: '192.0.2.7', userAgent: 'curl/8.5.0' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '21/Nov/2026:14:26:00 +0000',
      timeEpoch: 1_795_271_160_000,
    },
    body,
    isBase64Encoded,
  };
}

function balancer({ url, method, headers, body, isBase64Encoded }: Parts, lists: boolean): LambdaEvent {
  const target = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/door/49e9d65c45c6791a';
  const query = Object.fromEntries(url.searchParams);
  return {
    requestContext: { elb: { targetGroupArn: target } },
    httpMethod: method,
    path: url.pathname,
    ...(lists
      ? { multiValueHeaders: listsOf(headers), multiValueQueryStringParameters: listsOf(query) }
      : { headers, queryStringParameters: query }),
    body: body ?? '',
    isBase64Encoded,
  };
}

/** By the names under which AWS sells them. */
export const LAMBDA_EVENTS: Readonly<Record<string, (request: Request) => Promise<LambdaEvent>>> = {
  'API Gateway REST API (v1)': async (request) => restApi(await partsOf(request, false)),
  'API Gateway HTTP API (v2)': async (request) => httpApi(await partsOf(request, true)),
  'application load balancer': async (request) => balancer(await partsOf(request, true), false),
  'application load balancer, several values': async (request) => balancer(await partsOf(request, false), true),
  'function URL': async (request) => httpApi(await partsOf(request, true)),
};
