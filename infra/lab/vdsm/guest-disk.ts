/** What is inside a VM. In a bare lab that depends on its disk: only one that holds the appliance's bytes is an engine. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { labPaths } from '../fixture.ts';
import { readVolume } from '../storage/volume-files.ts';
import type { EngineProgram } from './engine-process.ts';
import type { HostState } from './host-state.ts';

/** oVirt's own description of a device in the domain XML's metadata. */
function devices(xml: string): string[] {
  return xml.match(/<ovirt-vm:device devtype="disk"[^>]*>.*?<\/ovirt-vm:device>/gs) ?? [];
}

function member(device: string, name: string): string {
  return new RegExp(`<ovirt-vm:${name}>([^<]*)</ovirt-vm:${name}>`).exec(device)?.[1] ?? '';
}

/** Path of the volume that the VM's first disk is; undefined when the host does not see it. */
function diskPath(host: HostState, xml: string): string | undefined {
  for (const device of devices(xml)) {
    const domain = host.visibleDomains().find((one) => one.id === member(device, 'domainID'));
    if (domain === undefined) continue;
    return readVolume(domain.dir, member(device, 'imageID'), member(device, 'volumeID'))?.path;
  }
  return undefined;
}

function startsWith(disk: string, image: string): boolean {
  const wanted = readFileSync(image);
  const found = Buffer.alloc(wanted.length);
  if (statSync(disk).size < wanted.length) return false;
  const file = openSync(disk, 'r');
  try {
    readSync(file, found, 0, found.length, 0);
  } finally {
    closeSync(file);
  }
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  return hash(found) === hash(wanted);
}

/** The payload CD that VDSM would make: its files by name, as JSON beside the host's things. */
function payloadFile(host: HostState, vmId: string, xml: string): string | undefined {
  const payload = devices(xml).find((device) => device.includes('<ovirt-vm:payload>'));
  if (payload === undefined) return undefined;
  const files = [...payload.matchAll(/<ovirt-vm:file path="([^"]+)">([^<]*)</g)].map(
    ([, path = '', content = '']) => [path, Buffer.from(content, 'base64').toString('utf8')] as const,
  );
  const path = `${host.dir}/payload-${vmId}.json`;
  writeFileSync(path, JSON.stringify(Object.fromEntries(files)), { mode: 0o600 });
  return path;
}

/** The engine's program, when this VM is the engine VM; undefined for any other. */
export function engineInside(host: HostState, vmId: string, xml: string): EngineProgram | undefined {
  const { fixture, world } = host;
  if (fixture.bare !== true) return vmId === fixture.vm.id ? world.engineProgram : undefined;
  const disk = diskPath(host, xml);
  const { appliance } = labPaths(fixture.dir);
  if (disk === undefined || !existsSync(appliance) || !startsWith(disk, appliance)) return undefined;
  const payload = payloadFile(host, vmId, xml);
  const env = {
    ...world.engineProgram.env,
    LAB_VM_DISK: disk,
    ...(payload === undefined ? {} : { LAB_VM_PAYLOAD: payload }),
  };
  return { ...world.engineProgram, env };
}
