/** A bare lab learns which hosted engine it has from the hosted-engine.conf that the deployment left on a host. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseVmConf } from '../../activities/ovf/vm-conf.ts';
import { readHostedEngineConf } from '../../activities/storage/hosted-engine-conf.ts';
import { labPaths, type LabFixture, type LabImage } from './fixture.ts';
import type { LabStorage } from './storage/index.ts';
import { unpackTar } from './storage/tar.ts';

/** Changes the fixture in place: the lab's hosts and its storage share it. @throws Error when the file names no domain */
export function adoptHostedEngine(fixture: LabFixture, storage: LabStorage, text: string): void {
  const conf = readHostedEngineConf(text);
  const of = (key: string) => conf.get(key) ?? '';
  const image = (name: string): LabImage => {
    const [image, volume] =
      name === 'vm' ? [of('vm_disk_id'), of('vm_disk_vol_id')] : [of(`${name}_image_UUID`), of(`${name}_volume_UUID`)];
    return { image, volume, sizeBytes: storage.volume(of('sdUUID'), image, volume)?.metadata?.capacity ?? 0 };
  };
  const [, server = '', path = ''] = /^(.+?):(\/.*)$/.exec(of('storage')) ?? [];
  Object.assign(fixture, {
    heDomain: { id: of('sdUUID'), name: storage.domain(of('sdUUID')).metadata.name, server, path },
    heDisks: {
      vm: image('vm'),
      lockspace: image('lockspace'),
      metadata: image('metadata'),
      configuration: image('conf'),
    },
    vm: { ...fixture.vm, id: of('vmid') },
  });
  writeFileSync(labPaths(fixture.dir).fixture, JSON.stringify(fixture, null, 2));
  void adoptVmConf(fixture, storage);
}

/** The definition by which the lab's HA agents start the VM: the deployment's own, in the configuration volume. */
async function adoptVmConf(fixture: LabFixture, storage: LabStorage): Promise<void> {
  const members = await unpackTar(readFileSync(storage.configurationPath).subarray(0, 20_480));
  const vmConf = members.get('vm.conf')?.toString('utf8') ?? '';
  const parsed = parseVmConf(vmConf);
  if (!parsed.ok) return;
  const { vmId: id, vmName: name, memSizeMb: memoryMb } = parsed.conf;
  Object.assign(fixture, { vmConf, vm: { id, name, memoryMb } });
}
