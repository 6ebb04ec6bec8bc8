import { card, emptyState, notice, pageHeader, table } from '../../ui/components.ts'
import { field, form, select } from '../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../ui/html.ts'
import { consolePage } from '../../ui/layout.ts'
import { displayName } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, tell, type View } from '../../ui/view.ts'
import type { Flow, Param, Step } from '../flow.ts'
import { sequenceDiagram } from './diagram.ts'

/** The list of flows. */
export function renderFlows(view: View, flows: readonly Flow[]): SafeHtml {
  const { playground } = view.text.console
  const cards = flows.map((flow) => {
    const to = link(view, paths.playground_flow, { flow: flow.flow })
    return html`<li>${card(html`<h2><a href="${to}">${playground.flows[flow.flow].title}</a></h2><p>${playground.flows[flow.flow].lead}</p><p class="hint">${cite(flow.spec)}</p>`)}</li>`
  })
  const content = html`${pageHeader(playground.title, playground.lead)}<ul class="cards">${cards}</ul>`
  return consolePage(view, { entry: 'playground', title: playground.title, content })
}

/** What a flow is run with. */
export interface FlowData {
  /** The values that are known before it starts. */
  readonly known: Readonly<Record<string, string>>
  readonly connectors: readonly { readonly connector: string; readonly provider_name: string }[]
}

/** One flow: the diagram, and each step with its parameters. What runs it stands in `data-flow`. */
export function renderFlow(view: View, flow: Flow, data: FlowData): SafeHtml {
  const { playground } = view.text.console
  const { title, lead } = playground.flows[flow.flow]
  const colours = listValues(flow)
  const start = form(
    view,
    { action: link(view, paths.playground_client), id: 'start', hidden: { flow: flow.flow } },
    html`${inputs(view, flow, data)}<div class="actions start"><button class="button primary" data-start>${playground.start}</button></div>`,
  )
  const run = attrs({
    'data-flow': JSON.stringify(flow),
    'data-known': JSON.stringify(data.known),
    'data-words': JSON.stringify(playground.words),
    'data-values': JSON.stringify(colours),
  })
  const steps = flow.steps.map((step, index) => renderStep(view, step, index + 1, colours))
  if (flow.inputs?.includes('connector') && data.connectors.length === 0) {
    const content = html`${pageHeader(title, lead)}${emptyState(playground.no_connector, playground.no_connector_body)}`
    return consolePage(view, { entry: 'playground', title, content })
  }
  const opening = html`<div class="card">${notice('note', html`<p>${playground.needs_script}</p>`)}<div hidden data-opening><p>${playground.throw_away}</p>${start}<p data-client></p></div></div>`
  const body = html`<div class="playground"${run}><div>${opening}<ol class="steps">${steps}</ol></div><aside>${sequenceDiagram(view, flow)}</aside></div>`
  const content = html`${pageHeader(title, html`${lead} <small>${cite(flow.spec)}</small>`)}${body}`
  return consolePage(view, { entry: 'playground', title, content, playground: true })
}

function inputs(view: View, flow: Flow, { connectors }: FlowData): Child {
  const words = view.text.console.playground.inputs
  return flow.inputs?.map((input) => {
    const label = words[input]
    if (input === 'path') return field({ name: 'path', label, value: '/', hint: words.path_hint, literal: true })
    const choices = connectors.map(({ connector, provider_name }) => ({
      value: connector,
      label: displayName(provider_name),
    }))
    return select({ name: 'connector', label, value: connectors[0]?.connector ?? '', choices })
  })
}

/** The page at which a browser comes back: the island moves on to the flow at once. */
export function renderCallback(view: View): SafeHtml {
  const { playground } = view.text.console
  const content = html`${pageHeader(playground.title)}<div data-callback="${link(view, paths.playground_flow)}">${notice('note', html`<p>${playground.nothing_waits}</p>`)}</div>`
  return consolePage(view, { entry: 'playground', title: playground.title, content, playground: true })
}

function renderStep(view: View, step: Step, number: number, colours: readonly string[]): SafeHtml {
  const { playground } = view.text.console
  const { title, text } = playground.steps[step.says]
  const breaks = step.breaks ?? []
  const options = breaks.map((one) => html`<option value="${one.break}">${playground.breaks[one.break]}</option>`)
  const choose =
    breaks.length > 0 &&
    html`<label>${playground.break_it} <select data-break><option value="">${playground.as_it_should_be}</option>${options}</select></label>`
  const action = html`<button type="button" class="button primary" data-run>${playground.actions[step.kind]}</button>`
  return html`<li class="card" id="${step.step}" data-step="${step.step}"><h2>${number}. ${title}</h2><p>${text}</p>${describe(view, step, colours)}<div class="actions start" hidden data-controls>${choose}${action}</div><div data-outcome aria-live="polite"></div></li>`
}

function describe(view: View, step: Step, colours: readonly string[]): Child {
  const { columns, notes, steps } = view.text.console.playground
  const { title } = steps[step.says]
  if (step.kind === 'person') return ''
  if (step.kind === 'make') {
    const rows = step.makes.map(({ name, spec, note }) => [value(name, colours), note && notes[note], cite(spec)])
    return table(title, [columns.value, columns.note, columns.spec], rows)
  }
  const to = html`<p><code dir="ltr">${step.kind === 'browser' ? 'GET' : step.method}</code> ${pattern(step.url, colours)}</p>`
  const params: readonly Param[] = step.kind === 'browser' ? step.query : (step.body ?? [])
  const head = step.kind === 'request' && step.authorization
  const proof = head && html`<p>${tell(view, view.text.console.playground.authorization[head], {})}</p>`
  if (params.length === 0) return html`${to}${proof}`
  const rows = params.map((param) => [
    html`<code dir="ltr">${param.name}</code>`,
    pattern(param.value, colours),
    param.note && notes[param.note],
    cite(param.spec),
  ])
  return html`${to}${proof}${table(title, [columns.param, columns.value, columns.note, columns.spec], rows)}`
}

/** A text with its `{values}` in their colours. */
function pattern(text: string, colours: readonly string[]): Child {
  return text.split(/(\{\w+\})/).map((part) => {
    if (/^\{\w+\}$/.test(part)) return value(part.slice(1, -1), colours)
    return part && html`<code dir="ltr">${part}</code>`
  })
}

function value(name: string, colours: readonly string[]): SafeHtml {
  const colour = colours.indexOf(name)
  return html`<code class="${colour < 0 ? 'value' : `value v${colour % 8}`}" dir="ltr">${name}</code>`
}

/** The values that go from one step to another, in the order in which they are made: each has its colour everywhere. */
function listValues({ steps }: Flow): string[] {
  const made = steps.flatMap((step) => {
    if (step.kind === 'make') return step.makes.map(({ name }) => name)
    if (step.kind === 'browser') return step.keeps
    return step.kind === 'request' ? Object.keys(step.keeps ?? {}) : []
  })
  return ['client_id', 'client_secret', ...new Set(made)]
}

/** A document and its section: the same in every language. */
function cite(spec: string): SafeHtml {
  return html`<cite dir="ltr">${spec}</cite>`
}
