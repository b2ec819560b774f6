/** The front door as an AWS Lambda function: API Gateway (REST and HTTP), ALB and function URLs. */
import { handle } from 'hono/aws-lambda';
import type { FrontDoor } from '../app.ts';

/**
 * @returns the function's handler; answers are buffered, so streams end with the first look (the page then polls).
 * @throws Error when the app has no token: a function can be reached from everywhere.
 */
export function lambdaHandler(app: FrontDoor): ReturnType<typeof handle> {
  if (!app.tokenRequired)
    throw new Error('the front door has no API token, and a Lambda function is no loopback. Configure a token.');
  return handle(app);
}
