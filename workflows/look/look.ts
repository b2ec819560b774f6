/** Workflows `lookAtCluster`, `examine` and `listBackups`: one activity each. Short-lived, no lock, nothing is tried again: a newer look is better. */
import { proxyActivities } from '@temporalio/workflow';
import type { BackupListing, ClusterLook, Examination, LookActivities, LookInput } from '../model/look.ts';

const once = { maximumAttempts: 1 };

export async function lookAtCluster(input: LookInput): Promise<ClusterLook> {
  const summary = `Look at engine, hosts and HA metadata of ${input.cluster}`;
  const limits = { startToCloseTimeout: '20 seconds', scheduleToStartTimeout: '20 seconds' } as const;
  return proxyActivities<LookActivities>({ ...limits, retry: once, summary }).lookAtCluster(input);
}

export async function examine(input: LookInput): Promise<Examination> {
  const summary = `Examine what ${input.cluster} stands on`;
  const limits = { startToCloseTimeout: '45 seconds', scheduleToStartTimeout: '20 seconds' } as const;
  return proxyActivities<LookActivities>({ ...limits, retry: once, summary }).examine(input);
}

export async function listBackups(input: LookInput): Promise<BackupListing> {
  const summary = `List the backups of ${input.cluster} in S3`;
  const limits = { startToCloseTimeout: '45 seconds', scheduleToStartTimeout: '20 seconds' } as const;
  return proxyActivities<LookActivities>({ ...limits, retry: once, summary }).listBackups(input);
}
