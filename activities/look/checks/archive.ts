/** S3: a test object is stored once only, read back and removed. */
import { randomUUID } from 'node:crypto';
import type { Finding } from '../../../workflows/model/look.ts';
import type { Archive } from '../../archive/client.ts';
import { CounterpartError } from '../../errors.ts';
import { attempt } from '../attempt.ts';
import { bad, ok, unseen, type Topic } from './finding.ts';

const LIMIT_MS = 8000;
const topic = (check: string, why: string): Topic => ({ area: 's3', check, why });

/** Whether a second content under the same key is refused. */
async function isConditional(archive: Archive, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await archive.putOnce(key, Buffer.from('other content'), { signal });
    return false;
  } catch (error) {
    if (error instanceof CounterpartError && error.facts.type === 'archive/exists-with-other-content') return true;
    throw error;
  }
}

async function probe(archive: Archive, signal: AbortSignal) {
  const key = `probe/bellwether-doctor-${randomUUID()}`;
  const stored = await archive.putOnce(key, Buffer.from('bellwether doctor'), { signal });
  try {
    await archive.get(key, { signal, sha256: stored.sha256 });
    return { versions: stored.versionId !== undefined, conditional: await isConditional(archive, key, signal) };
  } finally {
    await archive.remove(key, { signal });
  }
}

export async function archiveChecks(archive: Archive, signal: AbortSignal): Promise<Finding[]> {
  const reached = topic(
    `bucket ${archive.bucket}`,
    'backups are taken before a change, and without them there is none',
  );
  const ask = { what: `bucket ${archive.bucket}`, limitMs: LIMIT_MS, signal };
  const exists = await attempt(ask, (limited) => archive.exists({ signal: limited }));
  if (!exists.ok) return [unseen(reached, exists.missing)];
  if (!exists.value)
    return [
      bad(
        'warning',
        reached,
        'S3 answers; the bucket is not there yet',
        'The first backup makes it, if it may. Else make it yourself.',
      ),
    ];
  const answer = await attempt(ask, (limited) => probe(archive, limited));
  if (!answer.ok) return [unseen(reached, answer.missing)];
  const { versions, conditional } = answer.value;
  const kept = topic('versions', 'what is overwritten or removed by mistake can be got back');
  const once = topic('conditional writes', 'two workers never overwrite each other’s backup');
  return [
    ok(reached, 'a test object was stored, read back and removed'),
    versions
      ? ok(kept, 'the bucket keeps them')
      : bad('warning', kept, 'the bucket keeps none', 'Switch versioning on for the bucket.'),
    conditional
      ? ok(once, 'If-None-Match is obeyed')
      : bad('failed', once, 'a second write of the same key was taken', 'Use an S3 server that obeys If-None-Match.'),
  ];
}
