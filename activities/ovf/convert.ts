/**
 * vm.conf ⇄ OVF: what turns an unmanaged engine VM into one that the engine imports, and back into what the hosts read.
 *
 * Pure: dates, ids and facts come in as arguments, and the same input gives the same text.
 */
import { type BraceMap, braceText } from './brace.ts';
import { readAsAgent } from './agent-reading.ts';
import type { ConversionFacts } from './convert-facts.ts';
import { readEngineXml, textOfBase64 } from './engine-xml.ts';
import { type Parts, extrasElement, findExtras } from './extras.ts';
import { displayType, generalElements, isHostPassthrough, topology } from './ovf-content.ts';
import { mapDisks } from './ovf-disks.ts';
import {
  cdromItem,
  cpuItem,
  diskElement,
  diskItem,
  fileElement,
  graphicsItem,
  instanceId,
  memoryItem,
  nicItem,
  otherItem,
  type MappedDisk,
  usbItem,
  videoItem,
} from './ovf-items.ts';
import type { ConversionWarning } from './problems.ts';
import { NAMESPACES, NIC_MODEL_MAX_OF_AGENT, nicModelNumber, ovfDate } from './tables.ts';
import { type VmConf, confScalars } from './vm-conf.ts';
import { parseXml } from './xml-read.ts';
import { element, type XmlOut, xmlText } from './xml-write.ts';

export type { ConversionFacts, DiskFacts } from './convert-facts.ts';
export { ovfToVmConf } from './ovf-to-vm-conf.ts';

/** Device types that the engine's reader takes as "other" hardware. Host devices are not: they would pin the VM. */
const OTHER_TYPES = new Set([
  'controller',
  'channel',
  'console',
  'rng',
  'balloon',
  'watchdog',
  'sound',
  'redir',
  'smartcard',
  'tpm',
]);

function hardware(conf: VmConf, disks: readonly MappedDisk[], facts: ConversionFacts): readonly XmlOut[] {
  const ofType = (type: string, name?: string) =>
    conf.devices.filter(
      (each) => braceText(each, 'type') === type && (name === undefined || braceText(each, 'device') === name),
    );
  const id = (device: BraceMap, role: string) => instanceId(device, `${conf.vmId}/${role}`);
  const shown = displayType(conf);
  const headless = shown === 4;
  const video = ofType('video');
  const graphics = ofType('graphics');
  const videoDevices = video.length > 0 || headless ? video : [{ type: 'video', device: shown === 1 ? 'qxl' : 'vga' }];
  const graphicsDevices =
    graphics.length > 0 || headless ? graphics : [{ type: 'graphics', device: shown === 1 ? 'spice' : 'vnc' }];
  const others = conf.devices.filter((each) => OTHER_TYPES.has(braceText(each, 'type') ?? ''));
  return [
    cpuItem(topology(conf), conf.maxVCpus),
    memoryItem(conf.memSizeMb),
    ...disks.map((disk) => diskItem(disk, facts)),
    ...ofType('interface').map((each, nth) => nicItem(each, nth, id(each, `nic/${nth}`))),
    usbItem(),
    ...videoDevices.map((each, nth) => videoItem(each, id(each, `video/${nth}`))),
    ...graphicsDevices.map((each, nth) => graphicsItem(each, id(each, `graphics/${nth}`))),
    ...ofType('disk', 'cdrom').map((each, nth) => cdromItem(each, id(each, `cdrom/${nth}`))),
    ...others.map((each, nth) => otherItem(each, id(each, `other/${nth}`))),
  ];
}

function sections(conf: VmConf, disks: readonly MappedDisk[], facts: ConversionFacts): readonly XmlOut[] {
  const { sockets, cores } = topology(conf);
  // The operating system comes first: agents before 4.2 take the VM's id from the first section, whatever it is.
  return [
    element(
      'Section',
      [element('Info', 'Guest Operating System'), element('Description', facts.osName ?? 'other_linux')],
      {
        'ovf:id': conf.vmId,
        'ovf:required': 'false',
        'xsi:type': 'ovf:OperatingSystemSection_Type',
      },
    ),
    element(
      'Section',
      [
        element('Info', `${sockets * cores} CPU, ${conf.memSizeMb} Memory`),
        element('System', [element('vssd:VirtualSystemType', `ENGINE ${facts.engineVersion}`)]),
        ...hardware(conf, disks, facts),
      ],
      { 'xsi:type': 'ovf:VirtualHardwareSection_Type' },
    ),
    element(
      'Section',
      [
        element(
          'Snapshot',
          [element('Type', 'ACTIVE'), element('Description', 'Active VM'), element('CreationDate', ovfDate(facts.now))],
          { 'ovf:id': facts.snapshotId },
        ),
      ],
      { 'xsi:type': 'ovf:SnapshotsSection_Type' },
    ),
  ];
}

function envelope(
  conf: VmConf,
  disks: readonly MappedDisk[],
  facts: ConversionFacts,
  engineXml: string | undefined,
  extras: readonly XmlOut[],
): string {
  const nics = conf.devices.filter((each) => braceText(each, 'type') === 'interface');
  const networks = [...new Set(nics.flatMap((each) => braceText(each, 'network') ?? []))];
  const root = element(
    'ovf:Envelope',
    [
      element(
        'References',
        disks.map((disk) => fileElement(disk, facts)),
      ),
      element('NetworkSection', [
        element('Info', 'List of networks'),
        ...networks.map((name) => element('Network', '', { 'ovf:name': name })),
      ]),
      element('Section', [element('Info', 'List of Virtual Disks'), ...disks.map((disk) => diskElement(disk, facts))], {
        'xsi:type': 'ovf:DiskSection_Type',
      }),
      element('Content', [...generalElements(conf, facts, engineXml), ...sections(conf, disks, facts)], {
        'ovf:id': 'out',
        'xsi:type': 'ovf:VirtualSystem_Type',
      }),
      ...extras,
    ],
    {
      ...Object.fromEntries(Object.entries(NAMESPACES).map(([prefix, uri]) => [`xmlns:${prefix}`, uri])),
      'ovf:version': facts.engineVersion,
    },
  );
  return xmlText(root);
}

function engineXmlFor(conf: VmConf, warnings: ConversionWarning[]): string | undefined {
  if (conf.xmlBase64 === undefined) return undefined;
  const warn = (what: string, why: string) => {
    warnings.push({ code: 'engine-xml', key: 'xmlBase64', what, why });
  };
  const xml = textOfBase64(conf.xmlBase64);
  if (xml === undefined) {
    warn('it was left out', 'it is not text in UTF-8, so no XML; the engine makes a new one at its first rewrite');
    return undefined;
  }
  const read = readEngineXml(xml);
  if (!read.usable) warn('HA agents will not use it', read.why);
  else if (read.aliasCut)
    warn('HA agents cut the alias of its console to 24 characters', 'libvirt of 2018 asked for it');
  if (read.uuid !== undefined && read.uuid !== conf.vmId) {
    warn(`its UUID is ${read.uuid}`, `VDSM takes the VM's id from it, and vmId is ${conf.vmId}`);
  }
  return xml;
}

function behaviourWarnings(conf: VmConf, warnings: ConversionWarning[]): void {
  const warn = (key: string, what: string, why: string) => {
    warnings.push({ code: 'behaviour', key, what, why });
  };
  if (conf.maxVCpus !== undefined && conf.maxVCpus < conf.smp) {
    warn(
      'maxVCpus',
      `${conf.maxVCpus} is less than smp ${conf.smp}`,
      'VDSM refuses a VM with more CPUs than its maximum',
    );
  }
  if (isHostPassthrough(conf.cpuType)) {
    warn(
      'cpuType',
      'the CPU of the host is passed through',
      'the VM can live only on hosts with the same CPU; migration may fail',
    );
  }
  const { cores } = topology(conf);
  if (cores > 1 && conf.other['smpCoresPerSocket'] === undefined) {
    warn('smp', `the CPUs were spread over sockets of ${cores} cores`, 'the engine allows 16 sockets at most');
  }
  for (const [nth, nic] of conf.devices.filter((each) => braceText(each, 'type') === 'interface').entries()) {
    const model = braceText(nic, 'nicModel');
    const number = model === undefined ? 3 : nicModelNumber(model);
    const key = `devices interface ${nth + 1}`;
    if (number === undefined) warn(key, `NIC model ${model} is unknown, pv was taken`, 'the engine has no such model');
    else if (number > NIC_MODEL_MAX_OF_AGENT) {
      warn(key, `NIC model ${model}`, 'HA agents do not know it and fail on the whole OVF; pv (VirtIO) is safe');
    }
    if (braceText(nic, 'macAddr') === undefined) {
      warn(key, 'the NIC has no macAddr', 'HA agents leave it out; the engine gives it an address at import');
    }
  }
}

/** What the HA agents will make of this OVF; problems cannot occur in an OVF of our own, and count as warnings. */
function agentView(ovf: string): Parts {
  const parsed = parseXml(ovf, 'OVF');
  return parsed.ok ? readAsAgent(parsed.root) : { scalars: [], devices: [] };
}

/**
 * OVF of the engine VM that the engine imports (engine.md 12): origin managed hosted engine, delete protected.
 *
 * Never throws. What the OVF cannot carry is a warning, and is kept in an element of our own so that `ovfToVmConf`
 * gives it back.
 */
export function vmConfToOvf(
  conf: VmConf,
  facts: ConversionFacts,
): { readonly ovf: string; readonly warnings: readonly ConversionWarning[] } {
  const warnings: ConversionWarning[] = [];
  const disks = mapDisks(conf.devices, facts, warnings);
  const engineXml = engineXmlFor(conf, warnings);
  behaviourWarnings(conf, warnings);
  // What gets lost is not guessed from tables but seen: by reading the OVF back with the agent's eyes.
  const plain = agentView(envelope(conf, disks, facts, engineXml, []));
  const found = findExtras({ scalars: confScalars(conf), devices: conf.devices }, plain);
  const ovf = envelope(conf, disks, facts, engineXml, extrasElement(found.extras));
  return { ovf, warnings: [...warnings, ...found.warnings] };
}
