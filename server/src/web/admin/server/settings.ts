import { checkSettings, saveSettings } from '../../../inbound/administration/configure.ts'
import { listChangedNames } from '../../../inbound/changed_names.ts'
import { refusal } from '../../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../../store/settings.ts'
import { ours, send, type Visit } from '../../page.ts'
import { isTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf, sentOr } from '../forms/same_by_script.ts'
import { type FormValues, readTyped, refill, seenIn, statusOf, writeTyped } from '../forms/typed_form.ts'
import { type EditSettingsData, renderEditSettings, renderSettings, SETTING_KINDS } from './templates/settings.ts'

/** GET /admin/settings. */
export const settingsPage = consolePage(async (visit) => {
  const { settings } = visit.configuration
  const changed = listChangedNames(DEFAULT_SETTINGS, settings)
  const all = (Object.keys(settings) as (keyof Settings)[]).map((setting) => ({
    ...{ setting, value: settings[setting], is_default: !changed.includes(setting) },
  }))
  return send(visit, renderSettings(visit.view, { settings: all, saved: isTold(visit, 'saved') }))
})

/** GET /admin/settings/edit: who signs users in is a setting too. */
export const editSettingsPage = consolePage(async (visit, _administrator, kept) =>
  show(visit, ...refill(kept, write(visit.configuration.settings))),
)

/** POST /admin/settings/edit: what was typed differently is changed, all of it or nothing. */
export const editSettingsSubmit = consoleSubmit(async (visit, actor, values) => {
  const { settings, config_version } = visit.configuration
  const seen = Number(values['seen'])
  if (seen !== config_version) return overtaken(visit, values)
  try {
    const body = listChanged(settings, read(values))
    const changed = Object.keys(body)
    check(body)
    const saved = changed.length === 0 || (await saveSettings(visit.web.tenant, body, { actor, changed, seen }))
    return saved ? toSettings(visit) : overtaken(visit, values)
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    return show(visit, values, refusedField(error))
  }
})

/** Whoever comes second is told what has changed; a form that was sent twice leads to what it changed. */
async function overtaken(visit: Visit, values: FormValues): Promise<Response> {
  const { settings } = await visit.web.tenant.currentConfiguration()
  const wanted = sentOr(() => read(values), null)
  const done = wanted && Object.keys(listChanged(settings, wanted)).length === 0
  return done ? toSettings(visit) : show(visit, values, 'stale')
}

function toSettings(visit: Visit): Response {
  return redirectTelling(visit, ours(visit.web, paths.admin_settings), 'saved')
}

// What is nothing is an empty field.
function write(settings: Settings): FormValues {
  const set = Object.entries(settings).filter(
    ([name, value]) =>
      Object.hasOwn(SETTING_KINDS, name) && value !== null && !(Array.isArray(value) && value.length === 0),
  )
  return writeTyped(SETTING_KINDS, Object.fromEntries(set))
}

function read(values: FormValues): Record<string, unknown> {
  const typed = readTyped(SETTING_KINDS, values)
  const typable = Object.entries(DEFAULT_SETTINGS).filter(([name]) => Object.hasOwn(SETTING_KINDS, name))
  const empty = typable.map(([name, value]) => [name, Array.isArray(value) ? [] : null])
  const wanted = { ...Object.fromEntries(empty), ...typed } as Record<string, unknown>
  // An empty field is nothing where the setting may be that, and else it is missing.
  for (const [name, value] of typable) {
    if (wanted[name] === null && value !== null) throw refusal(name, 'is missing')
  }
  return wanted
}

function listChanged(settings: Settings, wanted: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const changed = listChangedNames(settings, { ...settings, ...wanted })
  return Object.fromEntries(changed.map((name) => [name, wanted[name]]))
}

function check(given: Readonly<Record<string, unknown>>): void {
  try {
    checkSettings(given)
  } catch (cause) {
    // What is wrong with a setting is a sentence of ours that begins with its name, and holds no value.
    throw new OAuthError('invalid_request', (cause as Error).message.replace(/^settings\./, ''), { cause })
  }
}

function show(visit: Visit, values: FormValues, wrong?: EditSettingsData['wrong']): Response {
  const seen = seenIn(values, wrong, String(visit.configuration.config_version))
  const like = { session_idle_seconds: 28_800 }
  const body = sentOr(() => listChanged(visit.configuration.settings, read(values)), like)
  const typed = Object.keys(body).length > 0 ? body : like
  const script = scriptOf(visit, 'updateSettings', {}, { body: typed })
  const html = renderEditSettings(visit.view, { values, seen, wrong, script })
  return send(visit, html, { status: statusOf(wrong) })
}
