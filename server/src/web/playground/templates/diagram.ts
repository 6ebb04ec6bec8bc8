import { html, type SafeHtml } from '../../ui/html.ts'
import { tellText, type View } from '../../ui/view.ts'
import type { Flow, Party } from '../flow.ts'

const LANE = 112
const HEAD = 44
const ROW = 40
const ORDER: readonly Party[] = ['person', 'app', 'server', 'api', 'provider']

/** The flow as a sequence diagram: a line for who takes part, an arrow for each step. */
export function sequenceDiagram(view: View, flow: Flow): SafeHtml {
  const { playground } = view.text.console
  const parties = ORDER.filter((party) => flow.steps.some(({ from, to }) => from === party || to === party))
  const x = (party: Party) => LANE / 2 + parties.indexOf(party) * LANE
  const height = HEAD + flow.steps.length * ROW + 12
  const lines = parties.map(
    (party) =>
      html`<g class="lane"><text x="${x(party)}" y="18">${playground.parties[party]}</text><path d="M${x(party)} 30V${height}"/></g>`,
  )
  const arrows = flow.steps.map((step, index) => {
    const y = HEAD + index * ROW + 20
    const [from, to] = [x(step.from), x(step.to)]
    const way = to > from ? -6 : 6
    const line = from === to ? `M${from} ${y - 6}h22v12h-22` : `M${from} ${y}H${to}`
    const head =
      from === to ? `M${from + 6} ${y + 2}l-6 4l6 4` : `M${to + way} ${y - 4}L${to} ${y}L${to + way} ${y + 4}`
    const label = from === to ? { x: from + 30, y: y + 4 } : { x: (from + to) / 2, y: y - 6 }
    const anchor = from === to ? 'start' : 'middle'
    return html`<g data-arrow="${step.step}"><path d="${line}"/><path d="${head}"/><text x="${label.x}" y="${label.y}" text-anchor="${anchor}">${index + 1}</text></g>`
  })
  const label = tellText(view, playground.diagram, { flow: playground.flows[flow.flow].title })
  return html`<svg class="sequence" role="img" aria-label="${label}" viewBox="0 0 ${parties.length * LANE} ${height}">${lines}${arrows}</svg>`
}
