import {
  badge,
  card,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  type Tone,
  table,
} from '../../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, exactText } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, moment, tell, tellText, type View } from '../../../ui/view.ts'
import { refusalText } from '../../forms/templates/refusal.ts'

/** A key with the times at which it changes, as far as they are known or foreseen. */
export interface ShownKey {
  readonly kid: string
  readonly state: 'next' | 'current' | 'retired' | 'revoked'
  readonly since: number
  readonly published_at: number
  readonly signs_at: number
  /** When it stops to sign. */
  readonly retires_at: number
  readonly gone_at: number
}

/** What the page of signing keys shows; each algorithm has a succession of its own. */
export interface KeysData {
  readonly algs: readonly { readonly alg: string; readonly keys: readonly ShownKey[]; readonly rotates: boolean }[]
  readonly wrong?: string | undefined
  readonly scripts: { readonly rotate: SameScript; readonly revoke?: SameScript | undefined }
}

const TONES: Readonly<Record<ShownKey['state'], Tone | undefined>> = {
  ...{ next: 'note', current: 'good', retired: undefined, revoked: 'danger' },
}

/** The signing keys on their way: next, current, retired. */
export function renderKeys(view: View, data: KeysData): SafeHtml {
  const { keys: words } = view.text.console
  const wrong =
    data.wrong !== undefined &&
    notice('danger', html`<p>${tell(view, words.failed, { why: refusalText(view, data.wrong) })}</p>`)
  const parts = data.algs.map((one, i) => succession(view, one, i))
  const rotations = data.algs.filter(({ rotates }) => rotates).map(({ alg }, i) => rotation(view, alg, i))
  const by_hand = section(
    words.rotate_section,
    html`<div class="actions start">${rotations}</div>${sameByScript(view, data.scripts.rotate, data.scripts.revoke)}`,
    words.rotate_lead,
  )
  const content = html`${pageHeader(words.title, words.lead)}${wrong}${parts}${by_hand}`
  return consolePage(view, { entry: 'keys', title: words.title, content })
}

function succession(view: View, { alg, keys }: KeysData['algs'][number], index: number): SafeHtml {
  const { keys: words } = view.text.console
  const rows = keys.map((key, i): Child[] => [
    code(key.kid),
    badge(words.states[key.state], TONES[key.state]),
    html`${ago(view, key.since)} <small>${moment(view, key.since)}</small>`,
    future(view, key),
    key.state === 'revoked' ? '–' : revocation(view, key, `revoke-${index}-${i}`),
  ])
  const title = tellText(view, words.list, { alg: exactText(alg) })
  const columns = [words.kid, words.state, words.since, words.goes_on, words.action]
  const plot = card(html`${timeline(view, alg, keys)}${legend(view, keys)}`)
  const lead = index === 0 && words.timeline_lead
  return section(code(alg), html`${plot}<div class="after">${table(title, columns, rows)}</div>`, lead)
}

function future(view: View, key: ShownKey): SafeHtml {
  const { keys: words } = view.text.console
  if (key.state === 'next') return tell(view, words.signs_from, { when: ago(view, key.signs_at) })
  if (key.state === 'current') return tell(view, words.signs_until, { when: ago(view, key.retires_at) })
  return tell(view, words.gone, { when: ago(view, key.gone_at) })
}

const WIDTH = 1000
const BAR = 24
const STEP = 36
const TOP = 6

// Time runs from left to right: the earliest key is at the top, the line is now.
function timeline(view: View, alg: string, keys: readonly ShownKey[]): SafeHtml {
  const { keys: words } = view.text.console
  const from = Math.min(view.now - 86_400_000, ...keys.map(({ published_at }) => published_at))
  const to = Math.max(view.now + 86_400_000, ...keys.map(({ retires_at }) => retires_at))
  const x = (at: number) => Math.round(((Math.min(Math.max(at, from), to) - from) / (to - from)) * WIDTH)
  const piece = (y: number, kind: string, start: number, end: number) => {
    const width = x(end) - x(start)
    return width > 0 && html`<rect class="${kind}" x="${x(start)}" y="${y}" width="${width}" height="${BAR}" rx="4"/>`
  }
  const bars = keys.map((key, i) => {
    const y = TOP + i * STEP
    const dead = key.state === 'revoked'
    return html`${piece(y, dead ? 'revoked' : 'published', key.published_at, key.signs_at)}${piece(y, dead ? 'revoked' : 'signs', key.signs_at, key.retires_at)}${piece(y, dead ? 'revoked' : 'kept', key.retires_at, key.gone_at)}`
  })
  const height = TOP + Math.max(keys.length, 1) * STEP
  const line = html`<line class="now" x1="${x(view.now)}" x2="${x(view.now)}" y1="0" y2="${height}"/>`
  const current = keys.find(({ state }) => state === 'current')
  const label = tellText(view, words.timeline_of, {
    alg: exactText(alg),
    now: current ? exactText(current.kid) : words.none,
  })
  return html`<svg class="timeline" role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${height}" height="${height}" preserveAspectRatio="none">${bars}${line}</svg>`
}

function legend(view: View, keys: readonly ShownKey[]): SafeHtml {
  const { legend: words, states } = view.text.console.keys
  const revoked = keys.some(({ state }) => state === 'revoked')
  const kinds = ['published', 'signs', 'kept'] as const
  return html`<ul class="legend">${kinds.map((kind) => html`<li><span class="swatch ${kind}"></span>${words[kind]}</li>`)}${revoked && html`<li><span class="swatch revoked"></span>${states.revoked}</li>`}<li><span class="swatch now"></span>${words.now}</li></ul>`
}

function revocation(view: View, key: ShownKey, id: string): SafeHtml {
  const { keys: words } = view.text.console
  return ending(view, {
    ...{ id, label: words.revoke, title: words.revoke_title },
    consequences: [
      words.revoke_tokens,
      ...(key.state === 'current' ? [words.revoke_current] : []),
      words.revoke_private,
    ],
    action: link(view, paths.admin_revoke_key),
    hidden: { kid: key.kid },
  })
}

function rotation(view: View, alg: string, index: number): SafeHtml {
  const { keys: words } = view.text.console
  return ending(view, {
    id: `rotate-${index}`,
    label: html`${words.rotate} ${code(alg)}`,
    title: tell(view, words.rotate_title, { alg: code(alg) }),
    consequences: [words.rotate_signs, words.rotate_soon],
    action: link(view, paths.admin_rotate_keys),
    hidden: { alg },
  })
}
