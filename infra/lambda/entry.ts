/** What AWS Lambda calls: `index.handler`. */
import { createHandler } from './function.ts';

export const handler = createHandler(process.env);
