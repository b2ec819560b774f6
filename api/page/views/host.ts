/** One host: its summary in the reference's words, score with reasons, HA state, what hinders it. */
import { html } from 'hono/html';
import type { HostLook } from '../../../workflows/model/look.ts';
import { span } from '../../cli/screen.ts';
import type { Visitor } from '../session.ts';
import { badge, clusterPath, type Html } from './words.ts';

function heard({ slot }: HostLook): Html {
  if (slot === undefined) return html`no slot in the HA metadata`;
  if (slot.stopped) return badge('warn', 'stopped');
  const age = slot.heardSeconds === null ? '' : `${span(slot.heardSeconds)} ago`;
  if (slot.lives === false) return html`${badge('bad', 'silent')} ${age === '' ? '' : `last heard ${age}`}`;
  return age === '' ? html`not watched for long enough` : html`${age}`;
}

function vdsmWords({ vdsm }: HostLook): Html {
  if (vdsm === undefined) return html`this worker does not know the host`;
  return vdsm.answers ? badge('good', 'answers') : html`${badge('bad', 'silent')} ${vdsm.why ?? ''}`;
}

function engineWords({ engine }: HostLook): Html {
  if (engine === undefined) return html`nothing`;
  const { status, detail, stale } = engine;
  return html`${status}${detail === undefined ? '' : ` (${detail})`}${
    stale ? '; does not poll it now, so what it says is old' : ''
  }`;
}

/** A host that is half in maintenance gets both ways. */
function buttons(cluster: string, { name, ha, slot, engine }: HostLook, { role }: Visitor): Html {
  if (role !== 'operator') return html``;
  const path = clusterPath(cluster, `/hosts/${encodeURIComponent(name)}`);
  const [inHa, inEngine] = [ha?.localMaintenance ?? slot?.localMaintenance ?? false, engine?.status === 'maintenance'];
  const button = (action: string, words: string) =>
    html`<a class="button" href="${path}?do=${action}">${words} … <span class="unseen">${name}</span></a>`;
  return html`<p class="buttons">
    ${inHa && inEngine ? '' : button('maintenance', 'Into maintenance')}
    ${inHa || inEngine ? button('activate', 'Activate') : ''}
  </p>`;
}

function maintenanceBadges({ ha, slot }: HostLook): Html {
  const local = ha?.localMaintenance ?? slot?.localMaintenance;
  if (local === undefined) return html`not known`;
  return local ? badge('warn', 'local maintenance') : html`none`;
}

export function hostCard(cluster: string, host: HostLook, visitor: Visitor): Html {
  const { name, address, ha, slot, summary, agent, engineVm, scoreReasons, cannotRun } = host;
  const score = ha?.score ?? slot?.score;
  return html`<article class="card host">
    <h4>${name}</h4>
    ${summary === undefined ? '' : html`<p class="summary">${summary}</p>`}
    <p>
      ${engineVm === undefined ? '' : badge('busy', `engine VM ${engineVm}`)}
      ${cannotRun === '' ? badge('good', 'can run the engine') : badge('warn', 'can’t run the engine')} ${cannotRun}
    </p>
    <dl>
      <dt>Score</dt>
      <dd>
        ${score ?? 'not known'}
        ${
          scoreReasons.length === 0
            ? ''
            : html`<ul>
                ${scoreReasons.map((reason) => html`<li>${reason}</li>`)}
              </ul>`
        }
      </dd>
      <dt>HA state</dt>
      <dd>
        ${slot?.state ?? 'not known'}${slot === undefined ? '' : ` (VM ${slot.engineStatus.vm}, health ${slot.engineStatus.health})`}
      </dd>
      <dt>Maintenance</dt>
      <dd>${maintenanceBadges(host)}</dd>
      <dt>HA agent</dt>
      <dd>${agent}; heard ${heard(host)}</dd>
      <dt>VDSM</dt>
      <dd>${vdsmWords(host)}</dd>
      <dt>Engine says</dt>
      <dd>${engineWords(host)}</dd>
      <dt>Address</dt>
      <dd>${address}</dd>
    </dl>
    ${buttons(cluster, host, visitor)}
  </article>`;
}
