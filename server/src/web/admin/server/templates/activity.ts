import { card, section, table } from '../../../ui/components.ts'
import { type ConnectionState, stateBadgeOfOthers, stateOfOthers } from '../../../ui/connection_state.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { code, exactText } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { count, countUpTo, hourText, link, tell, tellText, type View } from '../../../ui/view.ts'

/** How often one sort of thing happened, hour by hour; without a label it is what all the others came to. */
export interface Series {
  readonly label: string | null
  readonly counts: readonly number[]
}

/** What happened in the latest hours, and how connections stand. */
export interface ActivityData {
  /** When each hour began, oldest first. */
  readonly hours: readonly number[]
  /** By grant type. */
  readonly tokens: readonly Series[]
  /** By the error in the answer. */
  readonly refusals: readonly Series[]
  /** By what came of them. */
  readonly refreshes: readonly Series[]
  readonly connections: readonly { readonly state: ConnectionState; readonly count: number }[]
  /** Counts stop here. */
  readonly most: number
}

/** The plots of the overview, each with its table. */
export function renderActivity(view: View, data: ActivityData): SafeHtml {
  const { overview, activity: words } = view.text.console
  const { hours } = data
  const named = (label: string): Child => code(label)
  const tokens = plotted(view, { title: overview.tokens, hours, series: data.tokens, named, is_tokens: true })
  const refusals = plotted(view, { title: words.refusals, hours, series: data.refusals, named })
  const outcome = (label: string): Child =>
    Object.hasOwn(words.outcomes, label) ? words.outcomes[label as keyof typeof words.outcomes] : code(label)
  const refreshes = plotted(view, { title: words.refreshes, hours, series: data.refreshes, named: outcome })
  const highest = count(view, Math.max(0, ...sums(data.tokens, hours.length)))
  const lead = tell(view, overview.tokens_lead, { n: hours.length, highest })
  // A server that has done nothing yet says so once.
  const is_new = [data.tokens, data.refusals, data.refreshes, data.connections].every((all) => all.length === 0)
  const parts = [
    section(overview.tokens, tokens, data.tokens.length > 0 && lead),
    !is_new && section(words.refusals, refusals, words.refusals_lead),
    !is_new && section(words.refreshes, refreshes, words.refreshes_lead),
    !is_new && section(words.connections, states(view, data), words.connections_lead),
  ]
  return html`${parts}`
}

interface Plot {
  readonly title: string
  readonly hours: readonly number[]
  readonly series: readonly Series[]
  named(label: string): Child
  readonly is_tokens?: boolean
}

/** What all series came to in each hour. */
function sums(series: readonly Series[], hours: number): number[] {
  return Array.from({ length: hours }, (_, i) => sum(series.map(({ counts }) => counts[i] ?? 0)))
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0)

function plotted(view: View, plot: Plot): SafeHtml {
  const { activity: words } = view.text.console
  if (plot.series.length === 0) return html`<p class="hint"><strong>${words.nothing}</strong> ${words.nothing_body}</p>`
  const rows = plot.series.map(({ label, counts }, i): Child[] => [
    html`<span class="key"><span class="swatch s${i}"></span>${label === null ? words.others : plot.named(label)}</span>`,
    count(view, sum(counts)),
  ])
  const legend = table(plot.title, [words.kind, words.sum], rows)
  return card(html`<div class="beside">${bars(view, plot)}${legend}</div>${byHour(view, plot)}`)
}

const BAR = 30
const GAP = 8
const HEIGHT = 160
/** What is there is seen, however little it is. */
const LEAST = 3
/** So many hours there are from one name of an hour to the next. */
const NAMED_HOURS = 6

// Bars of one hour stand on each other, in the order of the table beside them.
function bars(view: View, plot: Plot): SafeHtml {
  const { overview, activity: words } = view.text.console
  const { hours, series, title, is_tokens } = plot
  const all = sums(series, hours.length)
  const highest = Math.max(...all)
  const drawn = hours.map((at, i) => {
    let top = HEIGHT
    const rects = series.map(({ counts }, kind) => {
      const n = counts[i] ?? 0
      if (n === 0) return ''
      const height = Math.max(LEAST, Math.round((n / highest) * HEIGHT))
      top = Math.max(0, top - height)
      return html`<rect class="s${kind}" x="${i * BAR}" y="${top}" width="${BAR - GAP}" height="${height}"/>`
    })
    return html`<g><title>${hourText(view, at)}: ${count(view, all[i]!)}</title>${rects}</g>`
  })
  const most = count(view, highest)
  const label = is_tokens
    ? tellText(view, overview.tokens_plot, { last: count(view, all.at(-1) ?? 0), highest: most })
    : tellText(view, words.plot, { title, n: hours.length, sum: count(view, sum(all)), most })
  const wide = hours.length * BAR - GAP
  const lines = [0, HEIGHT / 2, HEIGHT].map((y) => html`<line class="grid" x1="0" y1="${y}" x2="${wide}" y2="${y}"/>`)
  const svg = html`<svg class="bars" role="img" aria-label="${label}" viewBox="0 0 ${wide} ${HEIGHT}" height="${HEIGHT}" preserveAspectRatio="none">${lines}${drawn}</svg>`
  const named = hours.filter((_, i) => i % NAMED_HOURS === 0)
  const axis = named.map((at) => html`<span>${hourText(view, at)}</span>`)
  // Time goes from left to right in every language, as the bars do.
  return html`<div class="plot" dir="ltr"><p aria-hidden="true">${most}</p>${svg}<div class="axis" aria-hidden="true">${axis}</div><p aria-hidden="true">${words.hour}</p></div>`
}

function byHour(view: View, { title, hours, series, named }: Plot): SafeHtml {
  const { activity: words } = view.text.console
  const head = html`<tr><th scope="col">${words.hour}</th>${series.map(({ label }) => html`<th scope="col">${label === null ? words.others : named(label)}</th>`)}</tr>`
  const rows = hours.map((at, i) => {
    const numbers = series.map(({ counts }) => html`<td>${count(view, counts[i] ?? 0)}</td>`)
    return html`<tr><th scope="row"><time datetime="${new Date(at).toISOString()}">${hourText(view, at)}</time></th>${numbers}</tr>`
  })
  return html`<details class="script"><summary>${words.by_hour}<span class="unseen"> ${title}</span></summary><div class="scrolled" role="region" aria-label="${title}" tabindex="0"><table class="numbers"><thead>${head}</thead><tbody>${rows}</tbody></table></div></details>`
}

/** Of the table beside the bars, in rem. */
const ROW_REM = 2.75
const WIDE = 1000

function states(view: View, { connections, most }: ActivityData): SafeHtml {
  const { activity: words, connections: connections_words } = view.text.console
  const shown = connections.filter(({ count: n }) => n > 0)
  if (shown.length === 0) return html`<p class="hint">${connections_words.empty_body}</p>`
  const number = (n: number) => countUpTo(view, n, most)
  const highest = Math.max(...shown.map(({ count: n }) => n))
  // Each bar stands in the line of its row, below a row that says what the columns are.
  const drawn = shown.map(({ state, count: n }, i) => {
    const width = Math.max(4, Math.round((n / highest) * WIDE))
    return html`<rect class="of-${state}" x="0" y="${i + 1.3}" width="${width}" height="0.4"/>`
  })
  const said = shown.map(({ state, count: n }) => `${stateOfOthers(view, state)} ${number(n)}`).join(', ')
  const label = exactText(tellText(view, words.states_plot, { states: said }))
  const rows_and_head = shown.length + 1
  const plot = html`<svg class="bars" role="img" aria-label="${label}" viewBox="0 0 ${WIDE} ${rows_and_head}" height="${rows_and_head * ROW_REM}rem" preserveAspectRatio="none">${drawn}</svg>`
  const rows = shown.map(({ state, count: n }): Child[] => [
    html`<a href="${link(view, paths.admin_connections, { state })}">${stateBadgeOfOthers(view, state)}</a>`,
    number(n),
  ])
  return card(
    html`<div class="beside states">${plot}${table(words.connections, [connections_words.state, words.number], rows)}</div>`,
  )
}
