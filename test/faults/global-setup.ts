/** One ground for all tests on labs: each would wait for servers and a bundle of its own. */
import type { TestProject } from 'vitest/node';
import { openGround } from './ground.ts';

declare module 'vitest' {
  interface ProvidedContext {
    ground: {
      readonly temporal: { readonly address: string; readonly namespace: string; readonly origin: string };
      readonly s3: {
        readonly endpoint: string;
        readonly region: string;
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
      };
      readonly bundleFile: string;
    };
  }
}

/** @returns how to end it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { platform, bundleFile, close } = await openGround();
  const s3 = platform.s3.embedded;
  if (s3 === undefined) throw new Error('the platform has no S3 server of its own');
  const { address, namespace, origin } = platform.temporal;
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  project.provide('ground', {
    temporal: { address, namespace, origin },
    s3: { endpoint, region, accessKeyId, secretAccessKey },
    bundleFile,
  });
  return close;
}
