/** An examination of what one cluster's operations stand on, as this worker sees it. */
import type { ClusterLook, Examination, Finding, LookInput } from '../../workflows/model/look.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';
import { archiveChecks } from './checks/archive.ts';
import { engineChecks } from './checks/engine.ts';
import { clusterFiles, secretsFolder } from './checks/files.ts';
import { hostChecks } from './checks/hosts.ts';
import { metadataChecks } from './checks/metadata.ts';
import { storageChecks } from './checks/storage.ts';

/** Answers stay below 64 KB, whatever is wrong. */
const FINDINGS_MAX = 120;

type Look = (context: StepContext, input: LookInput) => Promise<ClusterLook>;

export function createExamine({ clusters, archive, secrets }: Counterparts, look: Look) {
  return async (context: StepContext, input: LookInput): Promise<Examination> => {
    const { signal } = context;
    const began = context.now();
    const cluster = clusters.get(input.cluster);
    const config = clusters.configOf(input.cluster);
    const parts: Promise<Finding[]>[] = [
      secretsFolder(secrets.dir),
      archiveChecks(archive, signal),
      storageChecks(cluster.hosts, signal),
      look(context, input).then(metadataChecks),
    ];
    if (config !== undefined) {
      parts.unshift(
        clusterFiles(config, began),
        engineChecks(cluster, config, began, signal),
        hostChecks(cluster, config, began, signal),
      );
    }
    const findings = (await Promise.all(parts)).flat();
    const at = context.now();
    return {
      version: 1,
      cluster: cluster.name,
      at: at.toISOString(),
      tookMs: at.getTime() - began.getTime(),
      findings: findings.slice(0, FINDINGS_MAX),
    };
  };
}
