/** The opening's view, kept current where people look: query, current details, search attributes, memo. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertMemo, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { WindowOperationView, WindowResult, WindowState, WindowView } from '../model/window.ts';
import { windowMarkdown } from './details.ts';

const HE_STATE = defineSearchAttributeKey('HeState', 'KEYWORD');

export class WindowKeeper {
  #view: WindowView;

  constructor(view: WindowView) {
    this.#view = view;
    this.#show();
  }

  get view(): WindowView {
    return this.#view;
  }

  #show(): void {
    setCurrentDetails(windowMarkdown(this.#view, workflowInfo().namespace));
  }

  state(state: WindowState, waitsFor?: string): void {
    const { waitsFor: _gone, ...rest } = this.#view;
    if (state !== this.#view.state) upsertSearchAttributes([{ key: HE_STATE, value: state }]);
    this.#view = { ...rest, state, ...(waitsFor === undefined ? {} : { waitsFor }) };
    this.#show();
  }

  maintenance(globalMaintenance: string): void {
    this.#view = { ...this.#view, globalMaintenance };
    this.#show();
  }

  operation(id: string, change: Partial<WindowOperationView>): void {
    const operations = this.#view.operations.map((one) => (one.id === id ? { ...one, ...change } : one));
    this.#view = { ...this.#view, operations };
    this.#show();
  }

  /** The memo is what the list of openings shows, without asking a worker. */
  end({ state, lines }: WindowResult): void {
    this.state(state);
    this.#view = { ...this.#view, outcome: lines.join('\n\n') };
    this.#show();
    upsertMemo({ outcome: lines.join(' ') });
  }
}
