/** `Volume.*` and `Image.*` (vdsm.md 10). */
import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { BLANK_UUID, listVolumes, type VolumeFile } from '../../storage/index.ts';
import { readVolume, removeImage, removeVolume, writeVolumeMetadata } from '../../storage/volume-files.ts';
import { fail } from '../errors.ts';
import type { HostState } from '../host-state.ts';
import type { Params } from '../params.ts';
import type { Json } from '../python.ts';
import { type VerbTable, verb } from './verb.ts';

const RAW = 5;
const PREALLOCATED = 1;
const ALIGN = 4096;

/** @throws VdsmError 358, 254, 201 */
function volumeOf(host: HostState, params: Params): VolumeFile {
  const domain = host.requireDomain(params.text('storagedomainID'));
  const image = params.text('imageID');
  const dir = join(domain.dir, 'images', image);
  if (!existsSync(dir)) throw fail.imagePath(dir);
  const volume = params.text('volumeID');
  const file = readVolume(domain.dir, image, volume);
  if (file === undefined) throw fail.noSuchVolume(volume);
  return file;
}

/** Bytes as a decimal string: VDSM refuses numbers. @throws VdsmError 1000 */
function sizeOf(params: Params, name: string): number {
  const size = params.required(name);
  if (typeof size !== 'string' || !/^\d+$/.test(size)) throw fail.invalidParameter(name, size);
  return Number(size);
}

function create(host: HostState, params: Params): Json {
  const pool = params.text('storagepoolID');
  host.requirePool(pool);
  const domain = host.requireDomain(params.text('storagedomainID'));
  const image = params.uuid('imageID');
  const volume = params.uuid('volumeID');
  const bytes = sizeOf(params, 'size');
  const format = params.integer('volFormat') === RAW ? 'RAW' : 'COW';
  const type = params.integer('preallocate') === PREALLOCATED ? 'PREALLOCATED' : 'SPARSE';
  const disktype = params.text('diskType');
  const description = params.optionalText('desc', '');
  host.requireSpm(pool);
  return host.tasks.start('createVolume', host.world.timings.taskMs, () => {
    if (host.faults.take('storage-full') !== undefined) throw fail.noSpace(domain.id);
    const sizeBytes = Math.ceil(bytes / ALIGN) * ALIGN;
    const wanted = { image, volume, sizeBytes, format, type, disktype, description } as const;
    if (!host.storage.createVolume(domain.id, wanted)) throw fail.volumeExists(volume);
  });
}

/** Who holds the volume's lease: the host that runs the engine VM, for the VM's own disk. */
function leaseOwners(host: HostState, file: VolumeFile): number[] {
  if (file.volume !== host.fixture.heDisks.vm.volume) return [];
  const owner = host.world.leaseOwner(host.fixture.vm.id);
  return owner === undefined ? [] : [owner.spmId];
}

function getInfo(host: HostState, params: Params): Json {
  const file = volumeOf(host, params);
  const meta = file.metadata;
  if (meta === undefined) return { apparentsize: '0', truesize: '0', status: 'INVALID', children: [] };
  const owners = leaseOwners(host, file);
  return {
    uuid: file.volume,
    type: meta.type,
    format: meta.format,
    disktype: meta.disktype,
    voltype: meta.voltype,
    capacity: String(meta.capacity),
    parent: meta.parent,
    description: meta.description,
    pool: '',
    domain: meta.domain,
    image: meta.image,
    ctime: String(meta.ctime),
    mtime: '0',
    legality: meta.legality,
    generation: meta.generation,
    sequence: meta.sequence,
    apparentsize: String(file.apparentSize),
    truesize: String(file.trueSize),
    status: meta.legality === 'ILLEGAL' ? 'ILLEGAL' : 'OK',
    lease: { path: `${file.path}.lease`, offset: 0, owners, version: owners.length > 0 ? 1 : null },
    children: [],
  };
}

function setDescription(host: HostState, params: Params): Json {
  host.requireSpm(params.text('storagepoolID'));
  const file = volumeOf(host, params);
  if (file.metadata === undefined) throw fail.volumeMetadataWrite(file.path);
  writeVolumeMetadata(file.path, { ...file.metadata, description: params.text('description') });
  return true;
}

function extendSize(host: HostState, params: Params): Json {
  const bytes = sizeOf(params, 'newSize');
  host.requireSpm(params.text('storagepoolID'));
  const file = volumeOf(host, params);
  return host.tasks.start('extendVolumeSize', host.world.timings.taskMs, () => {
    if (host.faults.take('storage-full') !== undefined) throw fail.noSpace(params.text('storagedomainID'));
    if (file.metadata !== undefined) writeVolumeMetadata(file.path, { ...file.metadata, capacity: bytes });
    if (bytes > file.apparentSize) truncateSync(file.path, bytes);
  });
}

function deleteVolume(host: HostState, params: Params): Json {
  host.requireSpm(params.text('storagepoolID'));
  const { dir } = host.requireDomain(params.text('storagedomainID'));
  const image = params.text('imageID');
  const wanted = params.optional('volumeID');
  const volumes = typeof wanted === 'string' ? [wanted] : params.texts('volumeID');
  return host.tasks.start('deleteVolume', host.world.timings.taskMs, () => {
    for (const volume of volumes) {
      if (readVolume(dir, image, volume) === undefined) throw fail.noSuchVolume(volume);
      removeVolume(dir, image, volume);
    }
  });
}

function deleteImage(host: HostState, params: Params): Json {
  host.requirePool(params.text('storagepoolID'));
  const domain = host.requireDomain(params.text('storagedomainID'));
  const image = params.text('imageID');
  if (listVolumes(domain.dir, image).length === 0) throw fail.noSuchImage(image, domain.id);
  host.requireSpm(params.text('storagepoolID'));
  return host.tasks.start(`purgeImage_${image}`, host.world.timings.taskMs, () => removeImage(domain.dir, image));
}

/** The lab's `/run/vdsm/storage`: a link per prepared image, so that a path works on that host only while prepared. */
export function preparedDir(host: HostState, domain: string, image: string): string {
  return join(host.dir, 'run', 'vdsm', 'storage', domain, image);
}

function prepare(host: HostState, params: Params): Json {
  const pool = params.text('storagepoolID');
  if (pool !== BLANK_UUID) host.requirePool(pool);
  const domain = host.requireDomain(params.text('storagedomainID'));
  const image = params.text('imageID');
  const volume = params.text('volumeID');
  const file = listVolumes(domain.dir, image).includes(volume) ? readVolume(domain.dir, image, volume) : undefined;
  if (file === undefined) throw fail.noSuchVolume(volume);
  if (file.metadata?.legality === 'ILLEGAL' && !params.flag('allowIllegal')) throw fail.illegalVolume(volume);
  const link = preparedDir(host, domain.id, image);
  mkdirSync(join(link, '..'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join(domain.dir, 'images', image), link);
  return { path: join(link, volume) };
}

function teardown(host: HostState, params: Params): Json {
  const domain = host.requireDomain(params.text('storagedomainID'));
  rmSync(preparedDir(host, domain.id, params.text('imageID')), { force: true });
  return true;
}

const VOLUME = 'volumeID storagepoolID storagedomainID imageID';

export const volumeVerbs: VerbTable = {
  'Volume.create': verb(
    `${VOLUME} size volFormat preallocate diskType desc srcImgUUID srcVolUUID initialSize addBitmaps legal sequence bitmap`,
    create,
  ),
  'Volume.getInfo': verb(VOLUME, getInfo),
  'Volume.getSize': verb(VOLUME, (host, params) => {
    const file = volumeOf(host, params);
    return { truesize: String(file.trueSize), apparentsize: String(file.apparentSize) };
  }),
  'Volume.setDescription': verb(`${VOLUME} description`, setDescription),
  'Volume.delete': verb(`${VOLUME} postZero force discard`, deleteVolume),
  'Volume.extendSize': verb('storagepoolID storagedomainID imageID volumeID newSize', extendSize),
  'Volume.refresh': verb(VOLUME, (host, params) => {
    volumeOf(host, params);
    return true;
  }),
  'Image.prepare': verb('storagepoolID storagedomainID imageID volumeID allowIllegal', prepare),
  'Image.teardown': verb('storagepoolID storagedomainID imageID volumeID', teardown),
  'Image.getVolumes': verb('imageID storagepoolID storagedomainID', (host, params) =>
    listVolumes(host.requireDomain(params.text('storagedomainID')).dir, params.text('imageID')),
  ),
  'Image.delete': verb('imageID storagepoolID storagedomainID postZero force discard', deleteImage),
};
