import { randomUUID } from 'node:crypto';

import type { LabFixture, LabImage } from '../../fixture.ts';
import type { ContentType, Disk, EngineState } from './model.ts';

const GIB = 1024 ** 3;

/** Turns a new database into the state after the upgrade: VM managed, domain active, all hosted-engine disks known. */
export function seedManaged(state: EngineState, fixture: LabFixture): void {
  const { heDomain, heDisks, vm: facts } = fixture;
  const connectionId = randomUUID();
  state.connections.push({ id: connectionId, type: 'nfs', address: heDomain.server, path: heDomain.path });
  state.domains.push({
    id: heDomain.id,
    name: heDomain.name,
    description: '',
    comment: '',
    type: 'data',
    connectionId,
    format: 'v5',
    master: false,
    totalBytes: 200 * GIB,
    freeBytes: 120 * GIB,
    attachment: { dataCenterId: fixture.dataCenter.id, status: 'active', correlationId: '' },
  });
  const disk = (image: LabImage, name: string, contentType: ContentType): Disk => ({
    id: image.image,
    volumeId: image.volume,
    name,
    description: name,
    domainId: heDomain.id,
    provisionedSize: image.sizeBytes,
    actualSize: image.sizeBytes,
    format: 'raw',
    sparse: contentType === 'hosted_engine',
    status: 'ok',
    contentType,
    shareable: false,
    wipeAfterDelete: false,
  });
  state.disks.push(
    disk(heDisks.vm, 'he_virtio_disk', 'hosted_engine'),
    disk(heDisks.lockspace, 'he_sanlock', 'hosted_engine_sanlock'),
    disk(heDisks.metadata, 'he_metadata', 'hosted_engine_metadata'),
    disk(heDisks.configuration, 'HostedEngineConfigurationImage', 'hosted_engine_configuration'),
  );
  const vm = state.vms.find((one) => one.id === facts.id);
  if (vm === undefined) return;
  vm.origin = 'managed_hosted_engine';
  vm.deleteProtected = true;
  vm.maxMemoryMb = facts.memoryMb * 4;
  vm.attachments = [
    { diskId: heDisks.vm.image, interface: 'virtio', bootable: true, active: true, readOnly: false, address: '' },
  ];
  vm.ovfItems = [
    {
      'rasd:Caption': 'USB Controller',
      'rasd:InstanceId': '3',
      'rasd:ResourceType': '23',
      'rasd:UsbPolicy': 'DISABLED',
    },
    device(20, 'Graphical Controller', 'video', 'vga', { 'rasd:VirtualQuantity': '1', 'rasd:SinglePciQxl': 'false' }),
    device(26, 'Graphical Framebuffer', 'graphics', 'vnc'),
    device(15, 'CDROM', 'disk', 'cdrom', { IsReadOnly: 'true', SpecParams: { path: '' } }),
    device(0, undefined, 'controller', 'virtio-scsi', { SpecParams: { index: '0', ioThreadId: '' } }),
    device(0, undefined, 'controller', 'virtio-serial'),
    device(0, undefined, 'console', 'console'),
    device(0, undefined, 'rng', 'virtio', { SpecParams: { source: 'urandom' } }),
  ];
}

function device(
  type: number,
  caption: string | undefined,
  kind: string,
  name: string,
  more: Record<string, string | Record<string, string>> = {},
): Record<string, string | Record<string, string>> {
  return {
    ...(caption !== undefined && { 'rasd:Caption': caption }),
    'rasd:InstanceId': randomUUID(),
    'rasd:ResourceType': String(type),
    Type: kind,
    Device: name,
    'rasd:Address': '',
    BootOrder: '0',
    IsPlugged: 'true',
    IsReadOnly: 'false',
    Alias: '',
    ...more,
  };
}
