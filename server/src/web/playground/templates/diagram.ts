import { STANDARD_PATHS } from '../../endpoint_paths.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import type { View } from '../../ui/view.ts'
import type { Flow, Party, Step } from '../flow.ts'
import { colourOf, keptBy, usedBy } from '../values.ts'

const LANE = 120
const HEAD = 40
const ROW = 46
const LONGEST_LABEL = 17
const ORDER: readonly Party[] = ['person', 'app', 'server', 'api', 'provider']

/**
 * The flow as a sequence diagram: a line for who takes part, an arrow for each step with what is asked, and a dot for each
 * value in its colour, where it is made and where it is used. From right to left where people read so.
 */
export function sequenceDiagram(view: View, flow: Flow, values: readonly string[], label: string): SafeHtml {
  const { playground } = view.text.console
  const parties = ORDER.filter((party) => flow.steps.some(({ from, to }) => from === party || to === party))
  const width = parties.length * LANE
  const height = HEAD + flow.steps.length * ROW + 8
  const mirror = view.dir === 'rtl' ? -1 : 1
  const x = (party: Party) => (mirror === 1 ? 0 : width) + mirror * (LANE / 2 + parties.indexOf(party) * LANE)
  const lanes = parties.map(
    (party) =>
      html`<g class="lane"><text x="${x(party)}" y="16">${playground.parties[party]}</text><path d="M${x(party)} 26V${height}"/></g>`,
  )
  const arrows = flow.steps.map((step, index) => {
    const y = HEAD + index * ROW + 22
    const [from, to] = [x(step.from), x(step.to)]
    const drawn =
      from === to ? drawLoop(step, { at: from, y, mirror, values }) : drawArrow(step, { from, to, y, values })
    return html`<g data-arrow="${step.step}">${drawn}<circle class="number" cx="${from}" cy="${y}" r="9"/><text x="${from}" y="${y + 4}">${index + 1}</text></g>`
  })
  return html`<svg class="sequence" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" width="${width}">${lanes}${arrows}</svg>`
}

function drawArrow(
  step: Step,
  { from, to, y, values }: { from: number; to: number; y: number; values: readonly string[] },
) {
  const way = to > from ? 1 : -1
  const head = `M${to - 6 * way} ${y - 4}L${to} ${y}L${to - 6 * way} ${y + 4}`
  const middle = from + way * (LANE / 2 + 4)
  const back = y + 13
  const answer = step.kind === 'request' && keptBy(step).length > 0
  return html`<path d="M${from} ${y}H${to}"/><path d="${head}"/><text class="what" x="${middle}" y="${y - 7}">${labelOf(step)}</text>${
    answer && html`<path class="answer" d="M${to} ${back}H${from + way * 2}"/>`
  }${dots(usedBy(step), values, { x: from + way * 18, y, way })}${dots(keptBy(step), values, { x: to - way * 14, y: step.kind === 'request' ? back : y, way: -way })}`
}

function drawLoop(
  step: Step,
  { at, y, mirror, values }: { at: number; y: number; mirror: number; values: readonly string[] },
) {
  const [near, far] = [at + mirror * 9, at + mirror * 26]
  const named = [...new Set([...usedBy(step), ...keptBy(step)])]
  return html`<path d="M${near} ${y - 6}H${far}V${y + 8}H${near - mirror * 2}"/><path d="M${near + mirror * 4} ${y + 4}l${-mirror * 6} 4l${mirror * 6} 4"/>${dots(named, values, { x: at + mirror * 38, y: y + 1, way: mirror })}`
}

/** A dot for each value that has a colour. */
function dots(
  names: readonly string[],
  values: readonly string[],
  { x, y, way }: { x: number; y: number; way: number },
) {
  const coloured = [...new Set(names)].filter((name) => values.includes(name))
  return coloured.map(
    (name, index) =>
      html`<circle class="${colourOf(values, name)}" cx="${x + index * way * 11}" cy="${y}" r="4.5"><title>${name}</title></circle>`,
  )
}

/** The method and the path, as far as there is room: of a long one its end. */
function labelOf(step: Step): string {
  if (step.kind === 'make' || step.kind === 'check' || step.kind === 'show') return ''
  const method = step.kind === 'person' ? 'GET' : (step.method ?? 'GET')
  const url = (step.kind === 'person' ? step.link : step.url).replace('{issuer}', '')
  const path = url.replace(/^\{(\w+)\}/, (_, name: string) => pathOf(name)).replace(/^\/proxy\/.*/, '/proxy/…')
  const label = `${method} ${path}`
  const shown = label.length > LONGEST_LABEL ? `${method} …/${path.split('/').at(-1)}` : label
  return shown.length > LONGEST_LABEL ? `${shown.slice(0, LONGEST_LABEL - 1)}…` : shown
}

function pathOf(name: string): string {
  const found = Object.entries(STANDARD_PATHS).find(([endpoint]) => endpoint === name.replace('mtls_', ''))
  return found?.[1] ?? PATHS[name] ?? `/${name}`
}

// What stands elsewhere, or is told by an answer.
const PATHS: Readonly<Record<string, string>> = {
  verification_uri_complete: '/device',
  registration_endpoint: '/register',
  registration_client_uri: '/register/…',
  metadata_url: '/.well-known/…',
  resource_metadata: '/.well-known/…',
}
