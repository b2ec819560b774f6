/** Why a connection to VDSM could not be made or did not last, in words of people, with what to do (vdsm.md 1, 16). */
import { CounterpartError, type ErrorKind } from '../errors.ts';

interface LinkTrouble {
  readonly type: string;
  readonly kind: ErrorKind;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

const RENEW =
  "Renew it: in the engine put the host into maintenance and run 'Enroll Certificate'; then check that the clocks agree";
const CA =
  "Use the engine's CA (/etc/pki/vdsm/certs/cacert.pem on the host) and a client certificate signed by it; re-read both after the host was added to an engine";

const untrusted = (why: string): LinkTrouble => ({
  type: 'vdsm/tls-untrusted',
  kind: 'needs-operator',
  what: 'TLS connection refused by us',
  why,
  remedy: CA,
});
const unreachable = (type: string, why: string, remedy: string): LinkTrouble => ({
  type,
  kind: 'retryable',
  what: 'no connection to VDSM',
  why,
  remedy,
});
const expired = (why: string): LinkTrouble => ({
  type: 'vdsm/certificate-expired',
  kind: 'needs-operator',
  what: 'TLS connection failed',
  why,
  remedy: RENEW,
});
const refusedUs: LinkTrouble = {
  type: 'vdsm/tls-refused',
  kind: 'needs-operator',
  what: 'VDSM refused our TLS connection',
  why: 'the host does not accept our client certificate',
  remedy: CA,
};
const noTls: LinkTrouble = {
  type: 'vdsm/not-tls',
  kind: 'needs-operator',
  what: 'TLS connection failed',
  why: 'the port does not speak TLS',
  remedy: 'Check the port (VDSM: 54321) and that [vars] ssl is on in /etc/vdsm/vdsm.conf',
};
const CUT = unreachable(
  'vdsm/connection-lost',
  'the host closed the connection',
  'Check that vdsmd runs on the host; if it closes each time at once, it does not accept our client certificate',
);

const TROUBLES: Readonly<Record<string, LinkTrouble>> = {
  ECONNREFUSED: unreachable(
    'vdsm/connection-refused',
    'nothing listens on the port',
    "Start vdsmd on the host ('systemctl start vdsmd') and check port 54321",
  ),
  EHOSTUNREACH: unreachable('vdsm/unreachable', 'no route to the host', 'Check that the host is up and its network'),
  ENETUNREACH: unreachable('vdsm/unreachable', 'no route to the network', 'Check our own network'),
  ETIMEDOUT: unreachable('vdsm/unreachable', 'no reaction in time', 'Check that the host is up, and its firewall'),
  ENOTFOUND: { ...unreachable('vdsm/unknown-host', 'the name has no address', 'Check the name and the DNS') },
  EAI_AGAIN: unreachable('vdsm/unknown-host', 'the DNS does not answer', 'Check the DNS'),
  ECONNRESET: CUT,
  EPIPE: CUT,
  CERT_HAS_EXPIRED: expired("the host's certificate has expired"),
  CERT_NOT_YET_VALID: expired("the host's certificate is not valid yet: a clock is wrong"),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted("the host's certificate comes from another CA"),
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted(
    "the host's certificate is self-signed: it was never added to an engine, or the CA file is an old one",
  ),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted("the host's certificate comes from another CA"),
  UNABLE_TO_GET_ISSUER_CERT: untrusted("the host's certificate comes from another CA"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted("the host's certificate comes from another CA"),
  INVALID_PURPOSE: untrusted("the host's certificate is not one for servers"),
  CERT_SIGNATURE_FAILURE: untrusted("the signature of the host's certificate is not the CA's"),
  ERR_TLS_CERT_ALTNAME_INVALID: untrusted("the host's certificate carries another name than the one we dialled"),
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refusedUs,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: refusedUs,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: refusedUs,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: refusedUs,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: { ...expired('the host says our client certificate has expired') },
};

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

/**
 * A socket's or TLS's error as a `CounterpartError`: `vdsm/connection-refused`, `vdsm/certificate-expired`,
 * `vdsm/tls-untrusted` … Trouble with certificates needs an operator; the rest may pass.
 */
export function linkError(subject: string, cause: unknown): CounterpartError {
  const code = codeOf(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  const trouble =
    TROUBLES[code] ?? unreachable('vdsm/connection-failed', text, 'Check the host, vdsmd and the network');
  return new CounterpartError({ ...trouble, subject, ...(code === '' ? {} : { code }) }, { cause });
}

/** The peer answered, but not as VDSM does. */
export function protocolError(subject: string, why: string, cause?: unknown): CounterpartError {
  return new CounterpartError(
    {
      type: 'vdsm/protocol',
      kind: 'retryable',
      subject,
      what: 'the peer does not speak STOMP as VDSM does',
      why,
      remedy: 'Check the address and the port (VDSM: 54321) and the VDSM version of the host',
    },
    { cause },
  );
}

/** A connection that ended for a reason we found ourselves: silence, time-out, closed by us. */
export function lostError(subject: string, name: string, why: string, remedy: string): CounterpartError {
  return new CounterpartError({
    type: `vdsm/${name}`,
    kind: 'retryable',
    subject,
    what: 'connection to VDSM lost',
    why,
    remedy,
  });
}

/** A certificate or key file that can't be used. */
export function certificateFileError(subject: string, path: string, cause: unknown): CounterpartError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new CounterpartError(
    {
      type: 'vdsm/certificate-unusable',
      kind: 'needs-operator',
      subject,
      what: `cannot use the certificate file ${path}`,
      why: text,
      remedy: 'Check the path, the content (PEM) and that our user may read it (on a host: user vdsm, group kvm)',
    },
    { cause },
  );
}
