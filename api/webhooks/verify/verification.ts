/** What every verifier answers. */

export type RefusalReason =
  | 'missing-header'
  | 'malformed-header'
  | 'too-old'
  | 'too-new'
  | 'no-match'
  /** No configured secret is usable: our mistake, not the sender's. */
  | 'no-secret';

export type Verification =
  /** `sentAt` only where the sender says it and signs it. */
  | { readonly ok: true; readonly id: string; readonly sentAt?: Date }
  | { readonly ok: false; readonly reason: RefusalReason };
