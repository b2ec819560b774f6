/** `bellwether-host journal show|verify|replay`. */
import { journalCommand, type JournalAnswer } from '../journal/command.ts';
import { wrongWord } from './control.ts';

/** @throws CounterpartError for a file or a word that makes no sense */
export function journal(action: string, file: string, last: number): JournalAnswer {
  if (action !== 'show' && action !== 'verify' && action !== 'replay')
    throw wrongWord('journal', action, 'show, verify or replay');
  return journalCommand({ action, file, last });
}
