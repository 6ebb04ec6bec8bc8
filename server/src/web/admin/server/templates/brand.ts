import type { WhyNoPicture } from '../../../../inbound/picture.ts'
import { LARGEST_PICTURE } from '../../../../store/settings.ts'
import { type Accent, accentIn, parseColour, writeColour } from '../../../ui/colour.ts'
import { mark, notice, pageHeader, type SameScript, sameByScript, section, table } from '../../../ui/components.ts'
import { button, buttonLink, check, field, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, type View } from '../../../ui/view.ts'
import { renewal } from '../../forms/templates/typed_page.ts'

/** What of a brand was refused, and of a picture why. */
export interface BrandWrong {
  readonly brand_name?: boolean
  readonly brand_accent?: boolean
  readonly brand_logo?: WhyNoPicture
}

/** What the page of the brand shows: what was typed, or what stands. */
export interface BrandData {
  readonly brand_name: string
  readonly brand_accent: string
  readonly brand_logo: string
  /** Where a page finds the picture: a path of ours, or the picture itself while it is not saved. */
  readonly logo?: string | undefined
  /** A picture that was chosen and is not saved yet: a file cannot be chosen for somebody. */
  readonly kept_logo?: string | undefined
  readonly seen: string
  readonly wrong?: BrandWrong | undefined
  readonly again?: 'stale' | 'renewed' | 'without_file' | 'too_long' | undefined
  readonly script: SameScript
}

const THEMES = ['light', 'dark'] as const

/** The page of the brand: its form, what becomes of the colour, and a page of sign-in as it would look, in both themes. */
export function renderBrand(given: View, data: BrandData): SafeHtml {
  const { brand: words } = given.text.console
  const { wrong, brand_accent, logo } = data
  const shown = data.brand_name === '' || wrong?.brand_name ? given.tenant.name : data.brand_name
  const accent = wrong?.brand_accent ? given.tenant.accent : brand_accent
  // The page wears what it shows.
  const view: View = { ...given, tenant: { name: shown, accent, ...(logo && { logo_uri: logo }) } }
  const colour = parseColour(accent ?? '')
  const parts = [
    section(
      words.preview,
      html`<div class="previews">${THEMES.map((theme) => preview(view, theme))}</div>`,
      words.preview_lead,
    ),
    colour && section(words.contrast, contrasts(view, colour), words.contrast_lead),
  ]
  const content = html`${pageHeader(words.title, words.lead)}<div class="measure">${said(view, data)}${fields(view, data)}</div>${parts}<div class="measure">${sameByScript(view, data.script)}</div>`
  return consolePage(view, { entry: 'settings', under: [], title: words.title, content })
}

function said(view: View, { wrong, again }: BrandData): Child {
  const { settings: words } = view.text.console
  if (wrong) return notice('danger', html`<p>${words.wrong}</p>`)
  if (again === 'without_file') return notice('warning', html`<p>${view.text.console.again.without_file}</p>`)
  return again === 'stale' ? notice('warning', html`<p>${words.stale}</p>`) : renewal(view, again)
}

function fields(view: View, data: BrandData): SafeHtml {
  const { brand: words, settings } = view.text.console
  const { wrong, brand_logo, kept_logo } = data
  const logo = [
    field({
      ...{ name: 'brand_logo', type: 'file', accept: 'image/png,image/jpeg,image/webp', label: words.logo },
      hint: tell(view, words.logo_hint, { kb: LARGEST_PICTURE / 1024 }),
      error: wrong?.brand_logo && words.wrong_logo[wrong.brand_logo],
    }),
    brand_logo !== '' &&
      html`<div class="row">${mark('', data.logo)}<p>${kept_logo === undefined ? words.logo_stands : words.logo_kept}</p></div>${check({ name: 'remove_logo', value: 'yes', label: words.remove_logo })}`,
  ]
  const called = field({
    ...{ name: 'brand_name', label: words.name, value: data.brand_name, hint: words.name_hint },
    error: wrong?.brand_name && words.wrong_name,
  })
  const colour = field({
    ...{ name: 'brand_accent', label: words.accent, value: data.brand_accent, literal: true, hint: words.accent_hint },
    error: wrong?.brand_accent && words.wrong_accent,
  })
  const actions = html`<div class="actions start">${button(settings.save)}${button(words.show, { kind: 'plain', name: 'action', value: 'preview' })}${buttonLink(settings.cancel, link(view, paths.admin_settings), 'quiet')}</div>`
  const hidden = { seen: data.seen, ...(kept_logo !== undefined && { kept_logo }) }
  const to = { action: link(view, paths.admin_brand), hidden, files: true }
  return form(view, to, html`${called}${colour}${logo}${actions}`)
}

/** A page of sign-in as a picture: nothing in it can be used. */
function preview(view: View, theme: 'light' | 'dark'): SafeHtml {
  const { layout, login, security } = view.text
  const { tenant } = view
  const brand = html`<div class="brand"><div class="tenant">${mark(tenant.name, tenant.logo_uri)}${name(tenant.name)}</div></div>`
  const lead = tell(view, login.to_tenant, { tenant: html`<strong>${name(tenant.name)}</strong>` })
  const box = (label: string) =>
    html`<div class="field"><span class="hint">${label}</span><input disabled value=""></div>`
  const panel = html`<div class="panel"><div class="heading"><p class="title">${login.title}</p><p class="lead">${lead}</p></div>${box(login.username)}${box(login.password)}<p><span class="button primary">${login.submit}</span></p></div>`
  const below = html`<p class="links"><a>${security.reset.forgot}</a></p>`
  const caption = theme === 'light' ? layout.theme_light : layout.theme_dark
  return html`<figure><figcaption>${caption}</figcaption><div class="preview narrow" data-theme="${theme}" aria-hidden="true" inert>${brand}${panel}${below}</div></figure>`
}

/** What became of the colour in each theme, and why. */
function contrasts(view: View, given: Parameters<typeof accentIn>[0]): SafeHtml {
  const { brand: words } = view.text.console
  const { layout } = view.text
  const rows = THEMES.map((theme) => {
    const accent = accentIn(given, theme)
    const used = writeColour(accent.colour)
    const label = theme === 'light' ? layout.theme_light : layout.theme_dark
    return [
      label,
      html`<span class="colour">${swatch(used)}${code(used)}</span>`,
      why(view, accent, used === writeColour(given), theme),
    ]
  })
  return table(words.contrast, [words.theme, words.used, words.why], rows)
}

function why(view: View, { given_contrast }: Accent, same: boolean, theme: 'light' | 'dark'): SafeHtml {
  const { brand: words } = view.text.console
  const has = given_contrast.toFixed(1)
  return tell(view, same ? words.used_as_given : theme === 'light' ? words.darkened : words.lightened, { has })
}

function swatch(colour: string): SafeHtml {
  return html`<svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill="${colour}"/></svg>`
}

/** What the page of settings says of it. */
export function brandSummary(view: View, brand_accent: string): SafeHtml {
  const { brand: words, settings } = view.text.console
  const { tenant } = view
  const colour = parseColour(brand_accent)
  const shown = html`<div class="row">${mark(tenant.name, tenant.logo_uri)}<div class="grow"><h3>${name(displayName(tenant.name))}</h3><p class="facts">${colour ? html`${swatch(writeColour(colour))} ${code(writeColour(colour))}` : settings.is_default}</p></div>${buttonLink(words.change, link(view, paths.admin_brand))}</div>`
  return section(words.title, html`<div class="card">${shown}</div>`, words.lead)
}
