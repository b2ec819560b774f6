/** `bellwether convert`: vm.conf to OVF or back, offline; nothing is asked of an engine or a host. */
import { realpath, writeFile } from 'node:fs/promises';
import { ovfToVmConf, vmConfToOvf, type ConversionFacts } from '../../activities/ovf/convert.ts';
import { problemText, type ConversionProblem, type ConversionWarning } from '../../activities/ovf/problems.ts';
import { BLANK_UUID, UUID, derivedUuid } from '../../activities/ovf/tables.ts';
import { formatVmConf, parseVmConf, type VmConf } from '../../activities/ovf/vm-conf.ts';
import { CliError, EXIT, failure, type ExitCode } from './exit.ts';
import type { CliRun } from './run.ts';
import { readInput } from './submit.ts';

export interface ConvertOptions {
  readonly out?: string;
  readonly to?: Format;
  readonly dataCenterId?: string;
  readonly cluster?: string;
  readonly compatibility?: string;
  readonly json?: boolean;
}

type Format = 'ovf' | 'vm.conf';

type Converted =
  | { readonly ok: true; readonly to: Format; readonly content: string; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly to: Format; readonly problems: readonly ConversionProblem[] };

/** Taken where an option is missing; each one is told in a warning. The upgrade itself asks the engine instead. */
const PLACEHOLDERS = { dataCenterId: BLANK_UUID, cluster: 'Default', compatibility: '4.7' } as const;
const ENGINE_VERSION = '4.5.0.0';

function warningText({ line, key, what, why }: ConversionWarning): string {
  return `${line === undefined ? '' : `line ${line}, `}${key}: ${what} (${why})`;
}

/** XML starts with `<`, after a byte order mark at most; no line of a vm.conf does. */
function targetOf(text: string): Format {
  return /^\uFEFF?\s*</.test(text) ? 'vm.conf' : 'ovf';
}

function factsFor(conf: VmConf, options: ConvertOptions): { facts: ConversionFacts; warnings: string[] } {
  const warnings: string[] = [];
  const fact = (name: keyof typeof PLACEHOLDERS, option: string) => {
    const given = options[name];
    if (given === undefined)
      warnings.push(`${option}: not given, ${PLACEHOLDERS[name]} was taken (vm.conf does not have it)`);
    return given ?? PLACEHOLDERS[name];
  };
  const facts: ConversionFacts = {
    dataCenterId: fact('dataCenterId', '--data-center-id'),
    clusterName: fact('cluster', '--cluster'),
    clusterCompatibility: fact('compatibility', '--compatibility'),
    engineVersion: ENGINE_VERSION,
    disks: {},
    now: new Date(),
    // The same file gives the same id: two runs can be compared.
    snapshotId: derivedUuid(`convert/${conf.vmId}`),
  };
  return { facts, warnings };
}

function converted(text: string, options: ConvertOptions): Converted {
  const to = targetOf(text);
  if (to === 'vm.conf') {
    const read = ovfToVmConf(text);
    if (!read.ok) return { ok: false, to, problems: read.problems };
    return { ok: true, to, content: formatVmConf(read.conf), warnings: read.warnings.map(warningText) };
  }
  const read = parseVmConf(text);
  if (!read.ok) return { ok: false, to, problems: read.problems };
  const { facts, warnings } = factsFor(read.conf, options);
  const made = vmConfToOvf(read.conf, facts);
  return {
    ok: true,
    to,
    content: made.ovf,
    warnings: [...[...read.warnings, ...made.warnings].map(warningText), ...warnings],
  };
}

function checkOptions(file: string, options: ConvertOptions): void {
  const wrong = (why: string) =>
    new CliError(EXIT.usage, failure(`converting ${file}`, why, 'npx bellwether convert --help'));
  if (options.dataCenterId !== undefined && !UUID.test(options.dataCenterId)) {
    throw wrong(`--data-center-id ${options.dataCenterId} is no UUID`);
  }
  if (options.compatibility !== undefined && !/^\d+\.\d+$/.test(options.compatibility)) {
    throw wrong(`--compatibility ${options.compatibility} is not like 4.7`);
  }
}

async function write(file: string, out: string, content: string): Promise<void> {
  const same = await Promise.all([realpath(file), realpath(out)]).then(
    ([from, to]) => from === to,
    () => false,
  );
  if (same)
    throw new CliError(EXIT.usage, failure(`writing ${out}`, 'it is the input file', 'give --out another name'));
  await writeFile(out, content).catch((error: unknown) => {
    throw new CliError(
      EXIT.failed,
      failure(`writing ${out}`, error instanceof Error ? error.message : String(error), `ls -ld ${out}`),
    );
  });
}

export async function convert(run: CliRun, file: string, options: ConvertOptions): Promise<ExitCode> {
  checkOptions(file, options);
  const result = converted(await readInput(file), options);
  if (options.to !== undefined && options.to !== result.to) {
    const why = `it would give ${result.to === 'ovf' ? 'an OVF' : 'a vm.conf'}, and --to asks for ${options.to}: the file is one already`;
    throw new CliError(EXIT.usage, failure(`converting ${file}`, why, `npx bellwether convert ${file}`));
  }
  if (!result.ok) {
    if (options.json === true) run.out(JSON.stringify(result));
    else {
      const why = `it has ${result.problems.length} problem(s):`;
      const [first = '', second = '', last = ''] = failure(
        `converting ${file}`,
        why,
        `correct ${file}, then the same command again`,
      );
      for (const line of [first, second, ...result.problems.map((problem) => `        ${problemText(problem)}`), last])
        run.say(line);
    }
    return EXIT.failed;
  }
  if (options.out !== undefined) await write(file, options.out, result.content);
  if (options.json === true) {
    run.out(JSON.stringify(options.out === undefined ? result : { ...result, content: undefined, out: options.out }));
    return EXIT.done;
  }
  for (const warning of result.warnings) run.say(`warning: ${warning}`);
  if (options.out === undefined) run.out(result.content.replace(/\n$/, ''));
  else run.say(`wrote ${options.out} (${result.to})`);
  return EXIT.done;
}
