import { card, emptyState, notice, pageHeader, section } from '../../ui/components.ts'
import { buttonLink, field, form, select } from '../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../ui/html.ts'
import { consolePage } from '../../ui/layout.ts'
import { displayName } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../ui/view.ts'
import { writeCode } from '../code.ts'
import type { Flow, Param, RequestStep, ShowStep, Step } from '../flow.ts'
import { FLOW_GROUPS } from '../flows/index.ts'
import { colourOf, listValues, neededBy } from '../values.ts'
import { sequenceDiagram } from './diagram.ts'

/** The list of flows, and that these are some of them. */
export function renderFlows(view: View, flows: readonly Flow[], { some }: { some: boolean }): SafeHtml {
  const { playground } = view.text.console
  const cardOf = (flow: Flow) => {
    const to = link(view, paths.playground_flow, { flow: flow.flow })
    const { title, lead } = playground.flows[flow.flow]
    return html`<li>${card(html`<h3><a href="${to}">${title}</a></h3><p>${lead}</p><p class="hint">${cite(flow.spec)}</p>`)}</li>`
  }
  const groups = Object.entries(FLOW_GROUPS).map(([name, group]) => {
    const cards = flows.filter((flow) => (group as readonly Flow[]).includes(flow)).map(cardOf)
    const title = playground.groups[name as keyof typeof FLOW_GROUPS]
    return cards.length > 0 && section(title, html`<ul class="cards pairs">${cards}</ul>`)
  })
  const content = html`${pageHeader(playground.title, playground.lead)}${some && notice('note', html`<p>${playground.some_flows}</p>`)}${groups}`
  return consolePage(view, { entry: 'playground', title: playground.title, content })
}

/** What a flow is run with. */
export interface FlowData {
  /** The values that are known before it starts. */
  readonly known: Readonly<Record<string, string>>
  readonly connectors: readonly { readonly connector: string; readonly provider_name: string }[]
  /** Who runs it: what a tab keeps of a run is for nobody else. */
  readonly whose: string
  /** The tenant does not allow what the flow needs. */
  readonly closed?: boolean
}

/** One flow: the diagram, and each step with its parameters. What runs it stands in `data-flow`. */
export function renderFlow(view: View, flow: Flow, data: FlowData): SafeHtml {
  const { playground } = view.text.console
  const { title, lead } = playground.flows[flow.flow]
  const header = pageHeader(title, html`${lead} <small>${cite(flow.spec)}</small>`)
  const missing = findMissing(view, flow, data)
  if (missing) {
    return consolePage(view, { entry: 'playground', title, content: html`${header}${missing}` })
  }
  const values = listValues(flow)
  const start = form(
    view,
    { action: link(view, paths.playground_client), id: 'start', hidden: { flow: flow.flow } },
    html`${inputs(view, flow, data)}<div class="actions start"><button class="button primary" data-start>${playground.start}</button></div>`,
  )
  const run = attrs({
    'data-flow': JSON.stringify(flow),
    'data-known': JSON.stringify(data.known),
    'data-whose': data.whose,
    'data-words': JSON.stringify(playground.words),
    'data-values': JSON.stringify(values.map((name) => ({ name, colour: colourOf(values, name) }))),
  })
  const issuer = data.known['issuer'] ?? ''
  const label = tellText(view, playground.diagram, { flow: title })
  const steps = flow.steps.map((step, index) =>
    renderStep(view, step, { number: index + 1, needs: neededBy(flow, step), values, issuer }),
  )
  const opening = html`<div class="card">${notice('note', html`<p>${playground.needs_script}</p>`)}<div hidden data-opening><p>${flow.inputs?.includes('document') ? playground.by_document : playground.throw_away}</p>${start}<p data-client></p></div></div>`
  const body = html`<div class="playground"${run}>${opening}<aside class="scrolled" aria-label="${label}" tabindex="0">${sequenceDiagram(view, flow, values, label)}</aside><ol class="steps">${steps}</ol></div>`
  return consolePage(view, { entry: 'playground', title, content: html`${header}${body}`, playground: true })
}

/** What has to be there first. */
function findMissing(view: View, flow: Flow, { connectors, closed }: FlowData): Child {
  const { playground, connectors: connector_words } = view.text.console
  if (flow.inputs?.includes('connector') && connectors.length === 0) {
    const add = buttonLink(connector_words.add, link(view, paths.admin_new_connector), 'primary')
    return emptyState(playground.no_connector, playground.no_connector_body, add)
  }
  if (!closed) return undefined
  const { title, body } = playground.closed[flow.needs!]
  return emptyState(title, body)
}

function inputs(view: View, flow: Flow, { connectors }: FlowData): Child {
  const words = view.text.console.playground.inputs
  return flow.inputs?.map((input) => {
    const label = words[input]
    if (input === 'document') {
      return field({ name: 'document', label, type: 'url', hint: words.document_hint, literal: true, required: true })
    }
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

interface StepData {
  readonly number: number
  readonly needs: Readonly<Record<string, number>>
  readonly values: readonly string[]
  readonly issuer: string
}

function renderStep(view: View, step: Step, { number, needs, values, issuer }: StepData): SafeHtml {
  const { playground } = view.text.console
  const { title, text } = playground.steps[step.says]
  const [from, to] = [playground.parties[step.from], playground.parties[step.to]]
  const way = step.from === step.to ? from : tell(view, playground.way, { from, to })
  const breaks = step.breaks ?? []
  const options = breaks.map((one) => html`<option value="${one.break}">${playground.breaks[one.break]}</option>`)
  const choose =
    breaks.length > 0 &&
    html`<label>${playground.break_it} <select data-break><option value="">${playground.as_it_should_be}</option>${options}</select></label>`
  const pasted = step.kind === 'request' && step.certificate
  const paste =
    pasted &&
    html`<label>${playground.pasted} <textarea rows="4" dir="ltr" spellcheck="false" data-pasted></textarea></label>`
  const action = html`<button type="button" class="button primary" data-run>${playground.actions[pasted ? 'paste' : step.kind]}</button>`
  const controls = html`<div class="actions start" hidden data-controls>${choose}${paste}${action}</div>`
  const written = (step.kind === 'request' || step.kind === 'show') && writings(view, step, issuer)
  const scripts = written && html`<div class="scripts" hidden data-controls>${written}</div>`
  // What is done elsewhere stands before the button that says so.
  const first = step.kind === 'show' || pasted
  return html`<li class="card" id="${step.step}" data-step="${step.step}"${attrs({ 'data-needs': JSON.stringify(needs) })} tabindex="-1"><div><h2>${number}. ${title}</h2><p class="hint">${way}</p></div><p>${text}</p>${describe(view, step, values)}${first ? scripts : controls}${first ? controls : scripts}<p role="status" data-told></p><div data-outcome></div></li>`
}

/** The step for a shell, and as code where there is a library for it, or what it shows: the island writes what is in them. */
function writings(view: View, step: RequestStep | ShowStep, issuer: string): Child {
  const { playground } = view.text.console
  const write = (as: 'curl' | 'code' | 'text', code?: string) => {
    const label = playground.writings[as]
    const open = as === 'text' || (as === 'curl' && step.kind === 'request' && step.certificate === true)
    return html`<details data-as="${as}"${attrs({ 'data-code': code, open })}><summary>${label}</summary><pre dir="ltr" tabindex="0" role="group" aria-label="${label}"></pre><div class="actions start"><button type="button" class="button plain">${playground.copy}</button><span role="status"></span></div></details>`
  }
  if (step.kind === 'show') return write('text')
  return html`${write('curl')}${step.code && write('code', writeCode(step.code, issuer))}`
}

function describe(view: View, step: Step, values: readonly string[]): Child {
  const { notes, authorization } = view.text.console.playground
  if (step.kind === 'person') return ''
  if (step.kind === 'show') return html`<p>${value(step.value, values)}</p>`
  if (step.kind === 'make') {
    return parameters(step.makes.map(({ name, spec, note }) => [value(name, values), note && notes[note], spec]))
  }
  if (step.kind === 'check') {
    const rows = step.checks.map(({ check, how: by, value: text, spec, note }) => {
      const expected = text !== undefined && (by === 'half_hash' ? value(text, values) : pattern(text, values))
      return [html`<code>${check}</code>${expected && html` = ${expected}`}`, notes[note], spec] as const
    })
    return html`<p>${value(step.token, values)}</p>${parameters(rows)}`
  }
  const method = step.method ?? 'GET'
  const to = html`<p><bdi dir="ltr"><code>${method}</code> ${pattern(step.url, values)}</bdi></p>`
  const proof = step.kind === 'request' && step.authorization && html`<p>${authorization[step.authorization]}</p>`
  const proves =
    step.kind === 'request' && step.proof && step.authorization !== 'dpop' && html`<p>${authorization.proof}</p>`
  const params: readonly Param[] = step.kind === 'browser' ? step.query : (step.body ?? [])
  const list = (named: readonly Param[]) =>
    parameters(
      named.map(({ name, value: text, spec, note }) => [
        html`<code>${name}</code> = ${pattern(text, values)}`,
        note && notes[note],
        spec,
      ]),
    )
  const signs = step.kind === 'request' && step.signs && html`<p>${authorization.signs}</p>${list(step.signs.claims)}`
  return html`${to}${proof}${proves}${params.length > 0 && list(params)}${signs}`
}

/** What is sent, made or checked: why, and where that is written. */
function parameters(rows: readonly (readonly [what: Child, why: Child, spec: string])[]): SafeHtml {
  const items = rows.map(
    ([what, why, spec]) => html`<div><dt><bdi dir="ltr">${what}</bdi></dt><dd>${why} ${cite(spec)}</dd></div>`,
  )
  return html`<dl class="parameters">${items}</dl>`
}

/** A text with its `{values}` in their colours. */
function pattern(text: string, values: readonly string[]): Child {
  return text.split(/(\{\w+\})/).map((part) => {
    if (/^\{\w+\}$/.test(part)) return value(part.slice(1, -1), values)
    return part && html`<code>${part}</code>`
  })
}

function value(name: string, values: readonly string[]): SafeHtml {
  return html`<code class="${`value ${colourOf(values, name)}`.trim()}" dir="ltr">${name}</code>`
}

/** A document and its section: the same in every language. */
function cite(spec: string): SafeHtml {
  return html`<cite dir="ltr">${spec}</cite>`
}
