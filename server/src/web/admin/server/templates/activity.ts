import { card, emptyState, section, table } from '../../../ui/components.ts'
import { type ConnectionState, stateBadge } from '../../../ui/connection_state.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { code, exactText } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { count, countUpTo, link, tell, tellText, type View } from '../../../ui/view.ts'

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
  const parts = [
    section(overview.tokens, tokens, tell(view, overview.tokens_lead, { n: hours.length, highest })),
    section(words.refusals, refusals, words.refusals_lead),
    section(words.refreshes, refreshes, words.refreshes_lead),
    section(words.connections, states(view, data), words.connections_lead),
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
  if (plot.series.length === 0) return emptyState(words.nothing, words.nothing_body)
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

// Bars of one hour stand on each other, in the order of the table beside them.
function bars(view: View, plot: Plot): SafeHtml {
  const { overview, activity: words } = view.text.console
  const { hours, series, title, is_tokens } = plot
  const all = sums(series, hours.length)
  const highest = Math.max(...all)
  const drawn = hours.map((_, i) => {
    let top = HEIGHT
    return series.map(({ counts }, kind) => {
      const n = counts[i] ?? 0
      if (n === 0) return ''
      const height = Math.max(1, Math.round((n / highest) * HEIGHT))
      top = Math.max(0, top - height)
      return html`<rect class="s${kind}" x="${i * BAR}" y="${top}" width="${BAR - GAP}" height="${height}"/>`
    })
  })
  const most = count(view, highest)
  const label = is_tokens
    ? tellText(view, overview.tokens_plot, { last: count(view, all.at(-1) ?? 0), highest: most })
    : tellText(view, words.plot, { title, n: hours.length, sum: count(view, sum(all)), most })
  const box = `0 0 ${hours.length * BAR - GAP} ${HEIGHT}`
  return html`<svg class="bars" role="img" aria-label="${label}" viewBox="${box}" height="${HEIGHT}" preserveAspectRatio="none">${drawn}</svg>`
}

function byHour(view: View, { title, hours, series, named }: Plot): SafeHtml {
  const { activity: words } = view.text.console
  const format = new Intl.DateTimeFormat(view.lang, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
  const head = html`<tr><th scope="col">${words.hour}</th>${series.map(({ label }) => html`<th scope="col">${label === null ? words.others : named(label)}</th>`)}</tr>`
  const rows = hours.map((at, i) => {
    const numbers = series.map(({ counts }) => html`<td>${count(view, counts[i] ?? 0)}</td>`)
    return html`<tr><th scope="row"><time datetime="${new Date(at).toISOString()}">${format.format(at)}</time></th>${numbers}</tr>`
  })
  return html`<details class="script"><summary>${words.by_hour}<span class="unseen"> ${title}</span></summary><div class="scrolled" role="region" aria-label="${title}" tabindex="0"><table class="numbers"><thead>${head}</thead><tbody>${rows}</tbody></table></div></details>`
}

const ROW = 34
const WIDE = 1000

function states(view: View, { connections, most }: ActivityData): SafeHtml {
  const { activity: words, connections: connections_words } = view.text.console
  const shown = connections.filter(({ count: n }) => n > 0)
  if (shown.length === 0) return emptyState(connections_words.empty, connections_words.empty_body)
  const number = (n: number) => countUpTo(view, n, most)
  const highest = Math.max(...shown.map(({ count: n }) => n))
  const drawn = shown.map(({ state, count: n }, i) => {
    const width = Math.max(4, Math.round((n / highest) * WIDE))
    return html`<rect class="of-${state}" x="0" y="${i * ROW}" width="${width}" height="${ROW - 10}"/>`
  })
  const said = shown.map(({ state, count: n }) => `${view.text.state[state]} ${number(n)}`).join(', ')
  const label = exactText(tellText(view, words.states_plot, { states: said }))
  const box = `0 0 ${WIDE} ${shown.length * ROW}`
  const plot = html`<svg class="bars" role="img" aria-label="${label}" viewBox="${box}" height="${shown.length * ROW}" preserveAspectRatio="none">${drawn}</svg>`
  const rows = shown.map(({ state, count: n }): Child[] => [
    html`<a href="${link(view, paths.admin_connections, { state })}">${stateBadge(view, state)}</a>`,
    number(n),
  ])
  return card(
    html`<div class="beside">${plot}${table(words.connections, [connections_words.state, words.number], rows)}</div>`,
  )
}
