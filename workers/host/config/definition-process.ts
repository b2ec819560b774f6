/** The process that reads the engine VM's definition: one request, one answer, and it ends. */
import { readDefinition, type DefinitionRequest } from './definition-read.ts';

/** Makes one bundled file act as this process when it is its first argument. */
export const DEFINITION_PROCESS = 'definition-process';

function isRequest(message: unknown): message is DefinitionRequest {
  return typeof message === 'object' && message !== null && 'vmId' in message && 'copies' in message;
}

if (process.argv[2] === DEFINITION_PROCESS) {
  process.once('message', (message: unknown) => {
    if (!isRequest(message)) process.exit(1);
    void readDefinition(message).then((answer) => process.send?.(answer, () => process.exit(0)));
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined);
}
