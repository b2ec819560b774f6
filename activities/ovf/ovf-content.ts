/**
 * The Content element of the engine VM's OVF, in the order in which the engine writes it (engine.md 12).
 */
import { type BraceMap, braceText } from './brace.ts';
import type { ConversionFacts } from './convert-facts.ts';
import { BLANK_UUID, ORIGIN_MANAGED_HOSTED_ENGINE, ovfDate } from './tables.ts';
import type { VmConf } from './vm-conf.ts';
import { element, type XmlOut } from './xml-write.ts';

/** The engine's own upper bound for x86. */
const MEMORY_MB_MAX = 4 * 1024 * 1024;
/** The engine refuses more sockets than this (config MaxNumOfVmSockets). */
const SOCKETS_MAX = 16;

/** Classic deployments have N sockets of one core; beyond what the engine allows, cores are added. */
export function topology(conf: VmConf): { sockets: number; cores: number } {
  const wanted = Number(conf.other['smpCoresPerSocket'] ?? '1');
  const fits =
    Number.isSafeInteger(wanted) && wanted > 0 && conf.smp % wanted === 0 && conf.smp / wanted <= SOCKETS_MAX;
  if (fits) return { sockets: conf.smp / wanted, cores: wanted };
  for (let sockets = Math.min(SOCKETS_MAX, conf.smp); sockets > 1; sockets -= 1) {
    if (conf.smp % sockets === 0) return { sockets, cores: conf.smp / sockets };
  }
  return { sockets: 1, cores: conf.smp };
}

/** `DefaultDisplayType`. With vnc the video card tells cirrus from vga; agents read both back as vnc. */
export function displayType(conf: VmConf): number {
  const display = (conf.display ?? 'vnc').toLowerCase();
  if (display === 'none') return 4;
  if (display.startsWith('qxl') || display.startsWith('spice')) return 1;
  const cirrus = conf.devices.some(
    (each) => braceText(each, 'type') === 'video' && braceText(each, 'device') === 'cirrus',
  );
  return cirrus ? 0 : 2;
}

function isTrue(text: string | undefined): boolean {
  return ['true', 'yes', '1'].includes((text ?? '').toLowerCase());
}

function bootSequence(conf: VmConf): string {
  // vm.conf's letters to the engine's numbers: disk, CD, network and the pairs that HE set-ups wrote.
  const numbers: Readonly<Record<string, string>> = { c: '0', dc: '1', n: '2', cdn: '3', d: '10', cd: '11' };
  return numbers[(conf.other['boot'] ?? 'c').toLowerCase()] ?? '0';
}

function guaranteedMb(conf: VmConf): number {
  const text = conf.other['memGuaranteedSize'] ?? '';
  const given = /^\d{1,9}$/.test(text) ? Number(text) : conf.memSizeMb;
  return given > 0 && given <= conf.memSizeMb ? given : conf.memSizeMb;
}

function maxMemoryMb(conf: VmConf, facts: ConversionFacts): number {
  const usual = Math.min(4 * conf.memSizeMb, Math.max(conf.memSizeMb, MEMORY_MB_MAX));
  return Math.max(facts.maxMemoryMb ?? usual, conf.memSizeMb);
}

export function hasBalloon(devices: readonly BraceMap[]): boolean {
  return devices.some((each) => {
    const spec = each['specParams'];
    const model = typeof spec === 'object' && !Array.isArray(spec) && 'model' in spec ? spec['model'] : undefined;
    return braceText(each, 'type') === 'balloon' && model !== 'none' && braceText(each, 'device') !== 'none';
  });
}

function optional(name: string, value: string | undefined): readonly XmlOut[] {
  return value === undefined || value === '' ? [] : [element(name, value)];
}

/** vm.conf spells libvirt's mode in two ways; the engine has a switch for it. */
export function isHostPassthrough(cpuType: string | undefined): boolean {
  return /^host-?passthrough\b/i.test(cpuType ?? '');
}

/** Everything of Content up to its sections. */
export function generalElements(
  conf: VmConf,
  facts: ConversionFacts,
  engineXml: string | undefined,
): readonly XmlOut[] {
  const now = ovfDate(facts.now);
  return [
    element('Name', conf.vmName),
    element('Description', 'Hosted Engine VM'),
    element('Comment'),
    element('CreationDate', now),
    element('ExportDate', now),
    element('DeleteProtected', true),
    element('SsoMethod', 'guest_agent'),
    element('IsSmartcardEnabled', isTrue(conf.other['smartcardEnable'])),
    element('NumOfIoThreads', 0),
    element('TimeZone', 'Etc/GMT'),
    element('default_boot_sequence', bootSequence(conf)),
    element('Generation', facts.generation ?? 1),
    element('ClusterCompatibilityVersion', facts.clusterCompatibility),
    element('VmType', 1),
    element('ResumeBehavior', 'AUTO_RESUME'),
    element('MinAllocatedMem', guaranteedMb(conf)),
    element('IsStateless', false),
    element('IsRunAndPause', false),
    element('AutoStartup', false),
    element('Priority', 1),
    element('CreatedByUserId', BLANK_UUID),
    element('MigrationSupport', 1),
    element('IsBootMenuEnabled', isTrue(conf.other['bootMenuEnable'])),
    element('IsSpiceFileTransferEnabled', true),
    element('IsSpiceCopyPasteEnabled', true),
    element('AllowConsoleReconnect', true),
    element('ConsoleDisconnectAction', 'LOCK_SCREEN'),
    element('ConsoleDisconnectActionDelay', 0),
    ...optional('CustomEmulatedMachine', conf.emulatedMachine),
    // One less than the engine's own number: 0 i440fx, 1 q35, both with SeaBIOS.
    element('BiosType', (conf.emulatedMachine ?? '').includes('q35') ? 1 : 0),
    ...optional('CustomCpuName', conf.cpuType),
    element('PredefinedProperties'),
    element('UserDefinedProperties'),
    element('MaxMemorySizeMb', maxMemoryMb(conf, facts)),
    element('MultiQueuesEnabled', true),
    element('VirtioScsiMultiQueuesEnabled', false, { 'ovf:queues': '0' }),
    element('UseHostCpu', isHostPassthrough(conf.cpuType)),
    element('BalloonEnabled', hasBalloon(conf.devices)),
    element('CpuPinningPolicy', 0),
    element('ClusterName', facts.clusterName),
    element('TemplateId', BLANK_UUID),
    element('TemplateName', 'Blank'),
    element('IsInitilized', true),
    element('Origin', ORIGIN_MANAGED_HOSTED_ENGINE),
    element('DefaultDisplayType', displayType(conf)),
    element('TrustedService', false),
    element('UseLatestVersion', false),
    ...(engineXml === undefined ? [] : [element('EngineXml', engineXml)]),
  ];
}
