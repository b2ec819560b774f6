/** The SDK tells of each failed attempt, and failing attempts are what these tests are about: only errors are shown. */
import { DefaultLogger, Runtime } from '@temporalio/worker';

try {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
} catch {
  // The test file before this one in the same process did it: one runtime serves them all.
}
