/**
 * Writes `api/openapi.json`. After a change of the schemas run
 * `node --import tsx api/openapi.ts && npx oxfmt api/openapi.json`, and review the diff.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from './schemas/document.ts';

const file = fileURLToPath(new URL('openapi.json', import.meta.url));
writeFileSync(file, `${JSON.stringify(openApiDocument(), null, 2)}\n`);
console.log(`wrote ${file}`);
