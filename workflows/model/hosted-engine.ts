/** What an operation learns of the hosted engine before it touches anything. */

/** An image and its (single) volume on a storage domain. */
export interface VolumeRef {
  readonly image: string;
  readonly volume: string;
}

export interface HostedEngineFacts {
  readonly dataCenter: { readonly id: string; readonly name: string };
  readonly cluster: { readonly id: string; readonly name: string; readonly compatibility: string };
  readonly engineVersion: string;
  readonly vm: { readonly id: string; readonly name: string; readonly origin: string };
  /** The hosted-engine storage domain. */
  readonly domain: {
    readonly id: string;
    /** Under which the engine gets it; `hosted_storage` when left out. */
    readonly name?: string;
    readonly mountOptions?: string;
    readonly type: 'nfs' | 'glusterfs' | 'iscsi' | 'fc';
    readonly address: string;
    readonly path: string;
    readonly metadata: VolumeRef;
    readonly configuration: VolumeRef;
  };
  /** Restored at the end: it is only left if this operation set it. */
  readonly globalMaintenanceBefore: boolean;
}

export interface BackupRef {
  readonly bucket: string;
  readonly manifestKey: string;
  readonly manifestSha256: string;
  readonly objects: number;
}

/** Enough to reach the HA metadata; known without the engine. */
export interface BoardFacts {
  readonly dataCenter: { readonly id: string };
  readonly domain: { readonly id: string; readonly metadata: VolumeRef };
  readonly globalMaintenanceBefore: boolean;
}
