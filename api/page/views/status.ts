/** A cluster as it is now: engine, capacity, maintenance, lock, hosts, what is missing. */
import { html } from 'hono/html';
import type { ClusterStatus } from '../../clusters/status.ts';
import type { LastSeen } from '../last-seen.ts';
import type { Visitor } from '../session.ts';
import { hostCard } from './host.ts';
import { ago, badge, clusterPath, operationPath, part, trouble, when, type Html } from './words.ts';

const SOURCES = { vdsm: 'VDSM', 'ha-metadata': 'the HA metadata', engine: 'the engine' } as const;

function engine({ engine, engineVm }: ClusterStatus): Html {
  const { healthy, health, version, address } = engine;
  const state =
    healthy === undefined
      ? badge('bad', 'does not answer')
      : healthy
        ? badge('good', 'healthy')
        : badge('bad', 'not healthy');
  const { host, status, source, places } = engineVm;
  const others = places.filter((place) => place.host !== host);
  return html`<div class="card">
    <h3>Engine</h3>
    <p>${state}${healthy === true ? '' : html` <span>${health}</span>`}</p>
    <dl>
      <dt>Runs on</dt>
      <dd>
        ${
          host === undefined || source === undefined
            ? 'no host that answers'
            : html`<b>${host}</b> (${status ?? ''}, says ${SOURCES[source]})`
        }
        ${
          others.length === 0
            ? ''
            : html`<br />${badge('bad', 'not agreed')} also on
                ${others.map((place) => `${place.host} (${SOURCES[place.source]})`).join(', ')}`
        }
      </dd>
      <dt>Version</dt>
      <dd>${version ?? 'not known'}</dd>
      <dt>Address</dt>
      <dd>${address}</dd>
    </dl>
  </div>`;
}

function capacity({ capacity: { failures, why } }: ClusterStatus): Html {
  const many =
    failures === null
      ? badge('warn', 'can’t be told')
      : badge(failures > 0 ? 'good' : 'warn', `${failures} host ${failures === 1 ? 'failure' : 'failures'}`);
  return html`<div class="card">
    <h3>How many host failures can it take now?</h3>
    <p class="big">${many}</p>
    <ul>
      ${why.map((reason) => html`<li>${reason}</li>`)}
    </ul>
  </div>`;
}

function maintenanceWords({ globalMaintenance: { on, setBy, order } }: ClusterStatus, now: Date): Html {
  if (on === null) return html`<p>${badge('warn', 'not known')} Nobody that answers can tell.</p>`;
  if (!on) return html`<p>${badge('good', 'off')} Hosts restart the engine by themselves.</p>`;
  const head = html`<p>${badge('warn', 'ON')} No host restarts the engine by itself.</p>`;
  if (order === undefined) {
    return html`${head}
      <p>${setBy === 'outside' ? 'It was set outside Bellwether.' : 'Who set it is not known.'}</p>`;
  }
  return html`${head}
    <dl>
      <dt>By</dt>
      <dd>${order.by} (<a href="${operationPath(order.id)}">${order.ticket ?? order.id}</a>)</dd>
      <dt>Why</dt>
      <dd>${order.reason ?? 'no reason was given'}</dd>
      <dt>Since</dt>
      <dd>${when(order.at, now)}</dd>
      <dt>Until</dt>
      <dd>${order.until === undefined ? 'somebody ends it' : when(order.until, now)}</dd>
    </dl>`;
}

function maintenance(status: ClusterStatus, visitor: Visitor, now: Date): Html {
  const path = clusterPath(status.cluster, '/maintenance');
  const { on } = status.globalMaintenance;
  return html`<div class="card">
    <h3>Global maintenance</h3>
    ${maintenanceWords(status, now)}
    ${
      visitor.role === 'operator'
        ? html`<p class="buttons">
            ${on === true ? '' : html`<a class="button" href="${path}?mode=on">Switch on …</a>`}
            ${on === false ? '' : html`<a class="button" href="${path}?mode=off">Switch off …</a>`}
          </p>`
        : ''
    }
  </div>`;
}

function lock({ lock }: ClusterStatus): Html {
  const holder = lock?.holder;
  const state =
    lock === undefined
      ? badge('warn', 'not known')
      : holder === undefined
        ? badge('good', 'free')
        : html`${badge('busy', 'held')} by <a href="${operationPath(holder.operation)}">${holder.label}</a>`;
  const queue = lock?.queue ?? [];
  return html`<div class="card">
    <h3>Lock: one operation at a time</h3>
    <p>${state}</p>
    ${
      queue.length === 0
        ? html`<p>Nobody waits.</p>`
        : html`<p>Waiting, in this order:</p>
            <ol>
              ${queue.map((one) => html`<li><a href="${operationPath(one.operation)}">${one.label}</a></li>`)}
            </ol>`
    }
  </div>`;
}

function odd({ strangers, faultySlots, missing }: ClusterStatus): Html[] {
  return [
    ...missing.map(({ what, why, remedy }) => trouble('warn', `Missing: ${what}`, why, remedy)),
    ...strangers.map(({ id, hostname }) =>
      trouble('warn', `Slot ${id}: ${hostname}`, 'Neither engine nor configuration know this host.', ''),
    ),
    ...faultySlots.map(({ id, why }) => trouble('warn', `Slot ${id} can’t be read`, why, '')),
  ];
}

function alerts({ alerts }: ClusterStatus, now: Date): Html {
  if (alerts.length === 0) return html``;
  return html`<h3>What the host workers told last</h3>
    <ul class="rows">
      ${alerts.map(
        ({ at, host, text, did, todo }) =>
          html`<li>
            <p>${when(at, now)} <b>${host}</b>: ${text}</p>
            ${did === '' ? '' : html`<p>Done: ${did}</p>`} ${todo === '' ? '' : html`<p>To do: ${todo}</p>`}
          </li>`,
      )}
    </ul>`;
}

function news({ status, failure }: LastSeen): string {
  if (failure !== undefined) return `${failure.what} can’t be seen now: ${failure.why}`;
  if (status === undefined) return '';
  const { engine, engineVm, globalMaintenance, capacity, missing } = status;
  const well = engine.healthy === true ? 'healthy' : 'not healthy';
  const on = globalMaintenance.on === true ? ', global maintenance is on' : '';
  return `Engine ${well} on ${engineVm.host ?? 'no host'}, can take ${capacity.failures ?? 'unknown'} host failures${on}, ${missing.length} missing`;
}

/** The part of the cluster's page that is looked at every 5 s. */
export function statusPart(cluster: string, seen: LastSeen, visitor: Visitor, now: Date): Html {
  const { status, seenAtMs, failure } = seen;
  const id = { id: 'status', title: 'Now', from: clusterPath(cluster, '/parts/status'), everyS: 5 };
  const failed =
    failure === undefined ? '' : trouble('bad', `Can’t be seen now: ${failure.what}`, failure.why, failure.remedy);
  if (status === undefined || seenAtMs === undefined) {
    return part(
      { ...id, news: news(seen) },
      html`${failed}
        <p>Nothing was seen of this cluster yet.</p>`,
    );
  }
  const last = failure === undefined ? 'Seen' : 'What follows was seen';
  return part(
    { ...id, news: news(seen), stale: failure !== undefined },
    html`${failed}
      <p class="seen">${last} ${ago(seenAtMs, now)}; the look took ${(status.tookMs / 1000).toFixed(1)} s.</p>
      <div class="last">
        ${odd(status)}
        <div class="cards">
          ${engine(status)} ${capacity(status)} ${maintenance(status, visitor, now)} ${lock(status)}
        </div>
        <h3>Hosts</h3>
        ${
          status.metadataAgeSeconds !== null && status.metadataAgeSeconds > 0
            ? html`<p>${badge('warn', `HA metadata of ${status.metadataAgeSeconds} s ago`)}</p>`
            : ''
        }
        <div class="cards">${status.hosts.map((host) => hostCard(cluster, host, visitor))}</div>
        ${alerts(status, now)}
      </div>`,
  );
}
