/** The engine's web UI's line for a host's HA state, word for word (engine.md 17). Pure. */

export interface HaWords {
  readonly configured: boolean;
  readonly active: boolean;
  readonly score: number;
  readonly localMaintenance: boolean;
  readonly globalMaintenance: boolean;
}

/** Undefined where hosted engine is not configured: the UI shows no row then. Tested in the UI's order. */
export function summaryLine(ha: HaWords): string | undefined {
  if (!ha.configured) return undefined;
  const value = !ha.active
    ? 'Not Active'
    : ha.globalMaintenance
      ? 'Global Maintenance Enabled'
      : ha.localMaintenance
        ? 'Local Maintenance Enabled'
        : `Active (score: ${ha.score})`;
  return `Hosted Engine HA: ${value}`;
}
