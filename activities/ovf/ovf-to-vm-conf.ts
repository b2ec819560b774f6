/**
 * OVF → vm.conf: what the hosts will start from, once the engine owns the definition.
 */
import { readAsAgent } from './agent-reading.ts';
import { braceText } from './brace.ts';
import { type Parts, applyExtras, readExtras, speakable } from './extras.ts';
import type { ConversionProblem, ConversionWarning } from './problems.ts';
import { type VmConfResult, parseVmConf, vmConfText } from './vm-conf.ts';
import { parseXml } from './xml-read.ts';

function sayable(parts: Parts): ConversionProblem[] {
  const remedy = 'Change it in the engine: vm.conf has no quotes and cannot carry such text.';
  const scalars = parts.scalars.filter(([, value]) => /[#\r\n]/.test(value) || value !== value.trim());
  const devices = parts.devices.filter((each) => !speakable(each));
  return [
    ...scalars.map(([key, value]) => ({ key, what: `is ${JSON.stringify(value.slice(0, 60))}`, remedy })),
    ...devices.map((each) => ({
      key: `devices ${braceText(each, 'type') ?? ''}`,
      what: 'holds commas, braces or #',
      remedy,
    })),
  ];
}

/**
 * The vm.conf that HA agents make of an OVF (ha-agent.md 5.7), from any engine since 3.6.
 *
 * An OVF of `vmConfToOvf` gives back the extra keys too, unless `extras` is `ignore`: that is the agent's exact view.
 * Never throws; what would stop the agent is a problem.
 */
export function ovfToVmConf(ovf: string, options: { readonly extras?: 'restore' | 'ignore' } = {}): VmConfResult {
  const parsed = parseXml(ovf, 'OVF');
  if (!parsed.ok) return parsed;
  const read = readAsAgent(parsed.root);
  if (read.problems.length > 0) return { ok: false, problems: read.problems };
  const extras = options.extras === 'ignore' ? undefined : readExtras(parsed.root);
  const { parts, warnings } = extras === undefined ? { parts: read, warnings: [] } : applyExtras(read, extras);
  const unsayable = sayable(parts);
  if (unsayable.length > 0) return { ok: false, problems: unsayable };
  // Through the text and the one parser, so that both ways in give a VmConf under the same rules.
  const result = parseVmConf(vmConfText(parts.scalars, parts.devices));
  if (!result.ok) {
    return { ok: false, problems: result.problems.map(({ key, what, remedy }) => ({ key, what, remedy })) };
  }
  return { ...result, warnings: [...read.warnings, ...warnings, ...result.warnings.map(withoutLine)] };
}

/** Lines of a text that the caller never saw would only mislead. */
function withoutLine({ code, key, what, why }: ConversionWarning): ConversionWarning {
  return { code, key, what, why };
}
