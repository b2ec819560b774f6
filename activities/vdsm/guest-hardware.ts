/** CPU model and machine type of an engine VM: the best that its first host has. */

/** Newest first; libvirt's names, of which VDSM shows those the CPU can be as flags `model_...`. */
const CPU_MODELS = [
  'Cascadelake-Server-noTSX',
  'Cascadelake-Server',
  'Skylake-Server-noTSX-IBRS',
  'Skylake-Server',
  'EPYC-Rome',
  'EPYC',
  'Broadwell-noTSX',
  'Haswell-noTSX',
  'IvyBridge',
  'SandyBridge',
  'Westmere',
  'Nehalem',
];
/** Of the cluster levels 4.8 to 4.5 (engine.md 13). */
const MACHINES = ['pc-q35-rhel9.6.0', 'pc-q35-rhel8.6.0', 'pc-q35-rhel8.4.0', 'pc-q35-rhel8.3.0', 'q35'];

export function cpuModelOf(flags: readonly string[]): string | undefined {
  return CPU_MODELS.find((model) => flags.includes(`model_${model}`));
}

export function machineOf(machines: readonly string[]): string | undefined {
  return MACHINES.find((machine) => machines.includes(machine));
}
