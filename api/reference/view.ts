/** The reference page: each call with what it takes, what it answers and an example. */
import { html } from 'hono/html';
import { badge, type Html, type Tone } from '../page/views/words.ts';
import type { Caller } from '../schemas/everywhere.ts';
import { curlOf, exampleOf } from './example.ts';
import { fieldsOf, typeOf, variantsOf, type Field } from './fields.ts';
import { resolved, shapeName, type Call, type Operation, type Parameter, type Reference, type Shape } from './shape.ts';

const WHO: Readonly<Record<Caller, string>> = {
  anyone: 'Anybody who reaches the front door; no token is needed.',
  sender: 'A sender that signs with a secret of its source; no token is needed.',
  'read-only': 'Whoever has a token, with the role read-only or operator.',
  operator: 'Whoever has a token with the role operator.',
};

const anchorOf = (name: string): string => `shape-${name}`;
const shapeLink = (name: string): Html => html`<a href="#${anchorOf(name)}">${name}</a>`;

/** `/problems/x` in a description leads to its page. */
function withProblems(description: string): Html[] {
  return description
    .split(/(\/problems\/[a-z-]+)/)
    .map((text, index) => (index % 2 === 0 ? html`${text}` : html`<a href="${text}">${text}</a>`));
}

/** `list of ClusterHost`, with its link. */
function withLinks(type: string, links: readonly string[]): Html[] {
  return type.split(/(\w+)/).map((word) => (links.includes(word) ? shapeLink(word) : html`${word}`));
}

function fieldRow({ name, type, links, required, description, example, preset }: Field): Html {
  return html`<li class="${/[.[]/.test(name) ? 'inner' : ''}">
    <code>${name}</code> ${required ? html`<b>required</b>` : html`<span class="quiet">optional</span>`}
    ${withLinks(type, links)} ${description === undefined ? '' : html`<br />${description}`}
    ${preset === undefined ? '' : html`<br /><span class="quiet">Unless given:</span> <code>${preset}</code>`}
    ${example === undefined ? '' : html`<br /><span class="quiet">E.g.</span> <code>${example}</code>`}
  </li>`;
}

const fieldList = (fields: readonly Field[]): Html =>
  html`<ul class="rows fields">
    ${fields.map(fieldRow)}
  </ul>`;

/** What is in a shape; kinds of it, of which each request is one, can be opened one by one. */
function shapeContent(reference: Reference, shape: Shape): Html {
  const variants = variantsOf(reference, shape);
  if (variants === undefined) {
    const fields = fieldsOf(shape);
    return fields.length === 0 ? html`<p>${typeOf(shape)}</p>` : fieldList(fields);
  }
  const kinds = variants.kinds.map(({ name, fields }) =>
    reference.shapes[name] === undefined
      ? html`<details>
          <summary><code>${name}</code></summary>
          ${fieldList(fields)}
        </details>`
      : html`<p>${shapeLink(name)}</p>`,
  );
  return html`${variants.common.length === 0 ? '' : fieldList(variants.common)}
    <p>One of these${variants.common.length === 0 ? '' : ', each with fields of its own beside those above'}:</p>
    ${kinds}`;
}

function parameterRow({ name, in: place, required, description, example, schema }: Parameter): Html {
  const words = description ?? schema.description;
  const sample = schema.example ?? example;
  const field: Field = {
    name,
    type: `${typeOf(schema)}, in the ${place}`,
    links: [],
    required: required === true,
    ...(words === undefined ? {} : { description: words }),
    ...(sample === undefined ? {} : { example: typeof sample === 'string' ? sample : JSON.stringify(sample) }),
  };
  return fieldRow(field);
}

function parameters({ parameters: all = [] }: Operation): Html {
  if (all.length === 0) return html``;
  return html`<h4>Parameters</h4>
    <ul class="rows fields">
      ${all.map(parameterRow)}
    </ul>`;
}

function body(reference: Reference, { requestBody }: Operation): Html {
  const [media] = Object.entries(requestBody?.content ?? {});
  if (media === undefined) return html``;
  const [type, { schema }] = media;
  const name = schema.$ref === undefined ? '' : shapeName(schema.$ref);
  return html`<h4>Body</h4>
    <p class="quiet">${type}${name === '' ? '' : `, ${name}`}</p>
    ${shapeContent(reference, resolved(reference, schema))}`;
}

function answerRow([status, { description, headers = {}, content = {} }]: [
  string,
  Operation['responses'][string],
]): Html {
  const tone: Tone = status.startsWith('2') ? 'good' : 'warn';
  const media = Object.entries(content).filter(([type]) => type !== 'application/problem+json');
  return html`<li>
    ${badge(tone, status)} ${withProblems(description)}
    ${media.map(([type, { schema }]) => html` ${schema.$ref === undefined ? type : shapeLink(shapeName(schema.$ref))}`)}
    ${Object.entries(headers).map(([name, header]) => html`<br /><code>${name}</code> ${header.description ?? ''}`)}
  </li>`;
}

function callCard(reference: Reference, call: Call): Html {
  const { method, path, operation } = call;
  const who = operation['x-caller'];
  const example = curlOf(exampleOf(reference, call), who === 'read-only' || who === 'operator');
  return html`<article class="card call" id="${operation.operationId}" aria-labelledby="${operation.operationId}-title">
    <h3 id="${operation.operationId}-title"><code>${method} ${path}</code></h3>
    <p><b>${operation.summary}.</b></p>
    ${operation.description === undefined ? '' : html`<p>${operation.description}</p>`}
    <p><span class="quiet">Who may:</span> ${WHO[who]}</p>
    ${parameters(operation)} ${body(reference, operation)}
    <h4>Answers</h4>
    <ul class="rows">
      ${Object.entries(operation.responses).map(answerRow)}
    </ul>
    <h4>Example</h4>
    <pre><code>${example}</code></pre>
  </article>`;
}

function contents({ groups }: Reference): Html {
  return html`<nav class="contents" aria-label="Calls">
    ${groups.map(
      ({ name, calls }) =>
        html`<div>
          <b>${name}</b>
          <ul class="plain">
            ${calls.map(
              ({ method, path, operation }) =>
                html`<li>
                  <a href="#${operation.operationId}"><code>${method} ${path}</code></a>
                </li>`,
            )}
          </ul>
        </div>`,
    )}
  </nav>`;
}

function shapeCard(reference: Reference, [name, shape]: [string, Shape]): Html {
  return html`<article class="card call" id="${anchorOf(name)}" aria-labelledby="${anchorOf(name)}-title">
    <h3 id="${anchorOf(name)}-title">${name}</h3>
    ${shape.description === undefined ? '' : html`<p>${shape.description}</p>`} ${shapeContent(reference, shape)}
  </article>`;
}

/** All of the page but its frame. */
export function referenceView(reference: Reference): Html {
  return html`<p>
      Made of <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1, version ${reference.version}), which the front
      door serves. Refusals are problem documents (RFC 9457): their <code>type</code> leads to a page that says what to
      do.
    </p>
    <p>
      The examples need <code>BELLWETHER_URL</code>, e.g. <code>http://127.0.0.1:8480</code>, and
      <code>TOKEN</code> where the front door has a token file; without one it answers on its own machine only and heeds
      no token.
    </p>
    ${contents(reference)}
    ${reference.groups.map(
      ({ name, description, calls }) =>
        html`<section>
          <h2>${name}</h2>
          <p>${description}</p>
          ${calls.map((call) => callCard(reference, call))}
        </section>`,
    )}
    <section>
      <h2>Shapes</h2>
      <p>What is sent and answered, by name.</p>
      ${Object.entries(reference.shapes).map((one) => shapeCard(reference, one))}
    </section>`;
}
