/**
 * The lab's shared storage: what the hosts' NFS mounts show, as real files below `labPaths(dir).storageRoot`.
 *
 * Any process of a lab may open it; nothing is kept in memory, so what one writes another reads.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type LabDomain, type LabFixture, labPaths, mountFolder } from '../fixture.ts';
import {
  type DomainMetadata,
  formatDomainMetadata,
  newDomainMetadata,
  parseDomainMetadata,
} from './domain-metadata.ts';
import {
  formatOvfStoreDescription,
  type OvfStoreDescription,
  packOvfs,
  parseOvfStoreDescription,
  unpackOvfs,
} from './ovf-store.ts';
import {
  createVolume,
  listImages,
  listVolumes,
  type NewVolume,
  readVolume,
  type VolumeFile,
  volumePath,
  writeVolumeMetadata,
} from './volume-files.ts';
import {
  BLOCK_BYTES,
  formatGlobalBlock,
  formatHostBlock,
  type HostBlock,
  parseGlobalBlock,
  parseHostBlock,
} from './whiteboard.ts';

export interface StorageDomainFiles {
  readonly id: string;
  /** The domain's own folder: `<storage root>/<mount folder>/<id>`. */
  readonly dir: string;
  /** Name of the mount folder, e.g. `storage.example.test:_exports_data`. */
  readonly mount: string;
  readonly metadata: DomainMetadata;
}

/** One OVF_STORE volume as it lies on storage. */
export interface OvfStore {
  readonly volume: VolumeFile;
  readonly description: OvfStoreDescription;
  /** OVFs by id; empty when the store was never written or is no archive. */
  readonly ovfs: ReadonlyMap<string, string>;
}

/** Up to `length` bytes: volumes are large and mostly holes. Zeros stand for what lies behind the end of the file. */
function readAt(path: string, position: number, length: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, position);
    return bytes;
  } finally {
    closeSync(file);
  }
}

export class LabStorage {
  readonly fixture: LabFixture;
  /** `/rhev/data-center/mnt` of the lab. */
  readonly root: string;

  private constructor(fixture: LabFixture) {
    this.fixture = fixture;
    this.root = labPaths(fixture.dir).storageRoot;
  }

  /** The storage of a lab that was laid out before, maybe by another process. */
  static open(fixture: LabFixture): LabStorage {
    return new LabStorage(fixture);
  }

  /** An empty export that a host can mount. */
  createExport(at: Pick<LabDomain, 'server' | 'path'>): string {
    const dir = join(this.root, mountFolder(at));
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, '__DIRECT_IO_TEST__'), '');
    return dir;
  }

  /** An empty data domain on an export: `dom_md` and `images`. Existing files are overwritten. */
  createDomain(domain: LabDomain): StorageDomainFiles {
    const dir = join(this.createExport(domain), domain.id);
    mkdirSync(join(dir, 'dom_md'), { recursive: true });
    mkdirSync(join(dir, 'images'), { recursive: true });
    for (const name of ['ids', 'leases', 'xleases']) writeFileSync(join(dir, 'dom_md', name), '');
    for (const name of ['inbox', 'outbox']) {
      writeFileSync(join(dir, 'dom_md', name), '');
      truncateSync(join(dir, 'dom_md', name), 16 * 1024 * 1024);
    }
    const remotePath = `${domain.server}:${domain.path}`;
    const metadata = newDomainMetadata({ uuid: domain.id, name: domain.name, remotePath });
    this.#writeDomain(dir, metadata);
    return { id: domain.id, dir, mount: mountFolder(domain), metadata };
  }

  /** All domains on all exports, by reading the storage. */
  domains(): StorageDomainFiles[] {
    if (!existsSync(this.root)) return [];
    const found: StorageDomainFiles[] = [];
    for (const mount of readdirSync(this.root)) {
      for (const id of readdirSync(join(this.root, mount))) {
        const dir = join(this.root, mount, id);
        const file = join(dir, 'dom_md', 'metadata');
        if (!existsSync(file)) continue;
        const metadata = parseDomainMetadata(readFileSync(file, 'utf8'));
        if (metadata?.uuid === id) found.push({ id, dir, mount, metadata });
      }
    }
    return found;
  }

  findDomain(id: string): StorageDomainFiles | undefined {
    return this.domains().find((domain) => domain.id === id);
  }

  /** @throws Error when there is no such domain. */
  domain(id: string): StorageDomainFiles {
    const found = this.findDomain(id);
    if (found === undefined) throw new Error(`no storage domain ${id} below ${this.root}`);
    return found;
  }

  /** Changes name, role or pools in the domain's metadata. */
  updateDomain(id: string, change: Partial<Pick<DomainMetadata, 'name' | 'role' | 'pools'>>): void {
    const { dir, metadata } = this.domain(id);
    this.#writeDomain(dir, { ...metadata, ...change });
  }

  /** Volumes of all images of a domain. */
  volumes(domainId: string): VolumeFile[] {
    const { dir } = this.domain(domainId);
    const files = listImages(dir).flatMap((image) =>
      listVolumes(dir, image).map((volume) => readVolume(dir, image, volume)),
    );
    return files.filter((file) => file !== undefined);
  }

  /** Where a volume lies, whether it exists or not. @throws Error when there is no such domain */
  volumePath(domainId: string, image: string, volume: string): string {
    return volumePath(this.domain(domainId).dir, image, volume);
  }

  /** Undefined when there is no such volume. */
  volume(domainId: string, image: string, volume: string): VolumeFile | undefined {
    const domain = this.findDomain(domainId);
    return domain === undefined ? undefined : readVolume(domain.dir, image, volume);
  }

  /** @returns false when it exists already. */
  createVolume(domainId: string, wanted: Omit<NewVolume, 'ctime'>, date: Date = new Date()): boolean {
    return createVolume(this.domain(domainId).dir, domainId, { ...wanted, ctime: Math.floor(date.getTime() / 1000) });
  }

  /** @throws Error when the volume or its metadata is missing. */
  setDescription(domainId: string, image: string, volume: string, description: string): void {
    const file = this.volume(domainId, image, volume);
    if (file?.metadata === undefined) throw new Error(`no volume ${volume} of image ${image} in domain ${domainId}`);
    writeVolumeMetadata(file.path, { ...file.metadata, description });
  }

  /** Every OVF_STORE of a domain, in the order of the folder's listing. */
  async readOvfStores(domainId: string): Promise<OvfStore[]> {
    const stores: OvfStore[] = [];
    for (const volume of this.volumes(domainId)) {
      const description = parseOvfStoreDescription(volume.metadata?.description ?? '');
      if (description === undefined) continue;
      const ovfs = await unpackOvfs(
        readAt(volume.path, 0, Math.max(0, Math.min(description.size ?? 0, volume.apparentSize))),
      );
      stores.push({ volume, description, ovfs });
    }
    return stores;
  }

  /**
   * Rewrites each OVF_STORE of the domain as the engine does (engine.md 11.4): description to `Updated: false`, content,
   * description to `Updated: true` with the new size; one copy after the other.
   * @throws Error when the domain has no OVF_STORE.
   */
  async writeOvfStores(domainId: string, ovfs: ReadonlyMap<string, string>, date: Date = new Date()): Promise<void> {
    const stores = await this.readOvfStores(domainId);
    if (stores.length === 0) throw new Error(`domain ${domainId} has no OVF_STORE`);
    const tar = await packOvfs(domainId, ovfs, date);
    for (const { volume, description } of stores) {
      const describe = (state: OvfStoreDescription) =>
        this.setDescription(domainId, volume.image, volume.volume, formatOvfStoreDescription(state));
      describe({ ...description, updated: false });
      writeFileSync(volume.path, tar);
      describe({ domainId, updated: true, size: tar.length, lastUpdated: date });
    }
  }

  /** Path of the HA metadata volume. */
  get metadataPath(): string {
    return this.#heVolumePath('metadata');
  }

  /** Path of the hosted-engine lockspace volume. */
  get lockspacePath(): string {
    return this.#heVolumePath('lockspace');
  }

  /** Path of the configuration volume. */
  get configurationPath(): string {
    return this.#heVolumePath('configuration');
  }

  /** A bare lab has HA volumes only once they were made. */
  haReachable(): boolean {
    return this.fixture.bare !== true || (existsSync(this.metadataPath) && existsSync(this.lockspacePath));
  }

  /** A new lockspace volume is all zeros. */
  lockspaceInitialised(): boolean {
    return this.fixture.bare !== true || (this.haReachable() && readAt(this.lockspacePath, 0, 1)[0] !== 0);
  }

  globalMaintenance(): boolean {
    return parseGlobalBlock(this.#readBlock(0));
  }

  setGlobalMaintenance(on: boolean): void {
    this.#writeBlock(0, formatGlobalBlock(on));
  }

  /** Undefined when the slot is empty or damaged. */
  hostBlock(hostId: number): HostBlock | undefined {
    return parseHostBlock(this.#readBlock(hostId));
  }

  writeHostBlock(block: HostBlock, date: Date = new Date()): void {
    this.#writeBlock(block.hostId, formatHostBlock(block, date));
  }

  /** The links that the HA tools expect beside `dom_md` (ha-agent.md 1.1). */
  linkHaFiles(): void {
    const { dir } = this.domain(this.fixture.heDomain.id);
    mkdirSync(join(dir, 'ha_agent'), { recursive: true });
    for (const name of ['metadata', 'lockspace'] as const) {
      const { image, volume } = this.fixture.heDisks[name];
      const link = join(dir, 'ha_agent', `hosted-engine.${name}`);
      rmSync(link, { force: true });
      symlinkSync(join('..', 'images', image, volume), link);
    }
  }

  #heVolumePath(disk: 'metadata' | 'lockspace' | 'configuration'): string {
    const { heDomain, heDisks } = this.fixture;
    return join(this.root, mountFolder(heDomain), heDomain.id, 'images', heDisks[disk].image, heDisks[disk].volume);
  }

  #readBlock(index: number): Buffer {
    return readAt(this.metadataPath, index * BLOCK_BYTES, BLOCK_BYTES);
  }

  #writeBlock(index: number, block: Buffer): void {
    const file = openSync(this.metadataPath, 'r+');
    try {
      writeSync(file, block, 0, BLOCK_BYTES, index * BLOCK_BYTES);
    } finally {
      closeSync(file);
    }
  }

  #writeDomain(dir: string, metadata: DomainMetadata): void {
    const file = join(dir, 'dom_md', 'metadata');
    writeFileSync(`${file}.new`, formatDomainMetadata(metadata));
    renameSync(`${file}.new`, file);
  }
}
