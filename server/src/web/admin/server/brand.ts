import { saveSettings } from '../../../inbound/administration/configure.ts'
import { listChangedNames } from '../../../inbound/changed_names.ts'
import {
  type Picture,
  readPicture,
  readPictureUrl,
  type WhyNoPicture,
  writePictureUrl,
} from '../../../inbound/picture.ts'
import { readSettings } from '../../../store/settings.ts'
import { brandOf } from '../../brand.ts'
import { readFileForm } from '../../file_form.ts'
import { ours, send, type Visit } from '../../page.ts'
import { redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit, isAdministrator } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type BrandData, type BrandWrong, renderBrand } from './templates/brand.ts'

type Values = Readonly<Record<string, string>>
type Typed = Pick<BrandData, 'brand_name' | 'brand_accent' | 'brand_logo'>

/** GET /admin/settings/brand: what people see of the tenant; texts that were typed before a sign-in anew come back. */
export const brandPage = consolePage(async (visit, _administrator, kept) => {
  const standing = visit.configuration.settings
  if (kept === undefined || kept === 'too_long') return show(visit, standing, kept && { again: kept })
  const typed = { ...readTexts(kept.values), brand_logo: standing.brand_logo }
  return show(visit, typed, { again: kept.without_file ? 'without_file' : 'renewed', seen: kept.values['seen'] })
})

/** POST /admin/settings/brand: saves it, or shows what it would look like. */
export const brandSubmit = consoleSubmit(
  async (visit, actor, values) => {
    const { settings, config_version } = visit.configuration
    const picture = readLogo(values, settings.brand_logo)
    const typed = {
      ...readTexts(values),
      brand_logo: picture.why === undefined ? picture.brand_logo : settings.brand_logo,
    }
    const wrong = { ...findWrong(typed), ...(picture.why !== undefined && { brand_logo: picture.why }) }
    if (Object.keys(wrong).length > 0) return show(visit, typed, { wrong })
    if (values['action'] === 'preview') return show(visit, typed)
    if (Number(values['seen']) !== config_version) return show(visit, typed, { again: 'stale' })
    const changed = listChangedNames(settings, { ...settings, ...typed })
    const body = Object.fromEntries(changed.map((name) => [name, typed[name as keyof Typed]]))
    const saved =
      changed.length === 0 || (await saveSettings(visit.web.tenant, body, { actor, changed, seen: config_version }))
    return saved
      ? redirectTelling(visit, ours(visit.web, paths.admin_settings), 'saved')
      : show(visit, typed, { again: 'stale' })
  },
  readFileForm(isAdministrator, 'brand_logo', 'kept_logo'),
)

/** What people type for a colour, as the setting has it: `3350C0`, `#35c`. */
function readTexts(values: Values): Pick<Typed, 'brand_name' | 'brand_accent'> {
  const text = (values['brand_accent'] ?? '').trim().toLowerCase()
  const digits = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/.exec(text)?.[1]
  const brand_accent = digits === undefined ? text : `#${digits.length === 3 ? digits.replace(/./g, '$&$&') : digits}`
  return { brand_name: (values['brand_name'] ?? '').trim(), brand_accent }
}

function findWrong(typed: Typed): BrandWrong {
  const is = (name: 'brand_name' | 'brand_accent') => {
    try {
      readSettings({ [name]: typed[name] })
      return false
    } catch {
      return true
    }
  }
  return { ...(is('brand_name') && { brand_name: true }), ...(is('brand_accent') && { brand_accent: true }) }
}

/** The picture that was chosen, else the one that the page has shown before, else the one that stands. */
function readLogo(values: Values, standing: string): { brand_logo: string; why?: never } | { why: WhyNoPicture } {
  const { brand_logo: chosen = '', kept_logo = '', remove_logo } = values
  if (remove_logo === 'yes' && chosen === '') return { brand_logo: '' }
  if (chosen === '' && kept_logo === '') return { brand_logo: standing }
  const picture = chosen === '' ? readPictureUrl(kept_logo) : readFile(chosen)
  return typeof picture === 'string' ? { why: picture } : { brand_logo: writePictureUrl(picture) }
}

function readFile(url: string): Picture | WhyNoPicture {
  return readPicture(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'))
}

function show(
  visit: Visit,
  { brand_name, brand_accent, brand_logo }: Typed,
  said: { readonly wrong?: BrandWrong; readonly again?: BrandData['again']; readonly seen?: string | undefined } = {},
): Response {
  const { configuration, web, view } = visit
  const stands = brand_logo === configuration.settings.brand_logo
  const script = scriptOf(visit, 'updateSettings', {}, { body: { brand_name: 'Northwind', brand_accent: '#0a7f5a' } })
  const html = renderBrand(view, {
    ...{ brand_name, brand_accent, brand_logo, ...said, script },
    // After a sign-in anew, what the page had told before: no change of meanwhile is overwritten unseen.
    seen: said.seen ?? String(configuration.config_version),
    logo: stands ? brandOf(configuration, web.base).logo_uri : brand_logo,
    kept_logo: stands ? undefined : brand_logo,
  })
  return send(visit, html, { status: said.wrong ? 400 : said.again === 'stale' ? 409 : 200 })
}
