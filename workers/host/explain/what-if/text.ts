/** A forecast for people. Pure. */
import { plain } from '../../cli/board-text.ts';
import { labelled, span, wrap, WIDTH } from '../words.ts';
import type { WhatIfReport } from './what-if.ts';

const STEPS_SHOWN = 40;

function outageWords(report: WhatIfReport): string {
  const { outages, outageSeconds, plusMinusSeconds } = report;
  if (outages.length === 0) return 'none: the engine answers all the time';
  const spans = outages.map(
    ({ fromSeconds, toSeconds }) => `T+${fromSeconds} s to ${toSeconds === null ? 'the end' : `T+${toSeconds} s`}`,
  );
  const about = plusMinusSeconds === 0 ? '' : `, give or take ${plusMinusSeconds} s`;
  const total =
    outageSeconds === null ? 'does not end within the forecast' : `about ${span(outageSeconds * 1000)}${about}`;
  return `${total} (${spans.join(', ')})`;
}

function stepLines(report: WhatIfReport): string[] {
  if (report.steps.length === 0) return ['  no host does anything'];
  const width = Math.max(...report.steps.map((step) => step.host.length));
  const lines = report.steps.slice(0, STEPS_SHOWN).flatMap((step) => {
    const head = `  T+${step.atSeconds} s`.padEnd(13) + plain(step.host).padEnd(width + 2);
    const rule = step.rule === null ? '' : ` (${step.rule})`;
    return wrap(plain(`${step.what}${rule}`), Math.max(30, WIDTH - head.length)).map(
      (line, index) => `${index === 0 ? head : ' '.repeat(head.length)}${line}`,
    );
  });
  const more = report.steps.length - STEPS_SHOWN;
  return more > 0 ? [...lines, `  and ${more} more steps: --json`] : lines;
}

/** Lines without a final newline. */
export function whatIfLines(report: WhatIfReport): string[] {
  const { engineEnds, orElse } = report;
  const other =
    orElse.length === 0 ? '' : ` (or on ${orElse.map(({ host }) => host).join(', ')}: who notices the silence first)`;
  const where = engineEnds.hostId === null ? engineEnds.host : `on ${engineEnds.host}`;
  return [
    ...labelled('what if', [report.understoodAs.join('; ')]),
    ...labelled('now', [report.before]),
    ...labelled('then', [
      `the engine VM is ${where}${other}${engineEnds.answers ? ', the engine answers' : ', the engine does not answer'}`,
    ]),
    ...labelled('outage', [outageWords(report)]),
    '',
    ...stepLines(report),
    '',
    ...labelled('assumed', report.assumptions),
    ...labelled('forecast', [
      `${span(report.simulatedSeconds * 1000)} of virtual time by the rules that decide${report.steady ? '; nothing more is to come' : ''}`,
    ]),
  ];
}
