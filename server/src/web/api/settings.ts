import * as z from 'zod'
import { checkSettings, saveSettings } from '../../inbound/administration/configure.ts'
import { requireHeld, requireHeldOfSignIn } from '../../inbound/administration/given_rights.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../store/settings.ts'
import { type ApiCall, route, type Subject, shown } from './route.ts'
import { saveSeen } from './save_configuration.ts'

/** What a setting is made of, by its default; its values are checked where every setting is. */
function shapeOf(value: unknown): z.ZodType {
  if (typeof value === 'string') return z.string()
  if (typeof value === 'number') return z.int()
  if (typeof value === 'boolean') return z.boolean()
  if (Array.isArray(value)) return z.array(z.unknown())
  return z.record(z.string(), z.unknown()).nullable()
}

const SHAPE = Object.fromEntries(Object.entries(DEFAULT_SETTINGS).map(([name, value]) => [name, shapeOf(value)]))
const SettingsSchema = z.strictObject(SHAPE).meta({ id: 'Settings' })

const settings: Subject<Settings> = {
  name: 'tenant',
  find: async ({ web }) => (await web.tenant.currentConfiguration()).settings,
  version: (found) => JSON.stringify(found),
}

/** The routes of the tenant's settings. */
export const SETTINGS_ROUTES = [
  route({
    ...{ method: 'GET', path: '/settings', scope: 'admin:read', name: 'getSettings' },
    summary: 'Every setting, those never set at their defaults',
    answer: SettingsSchema,
    versioned: true,
    subject: settings,
    run: ({ found }) => shown(settings, found, { ...found }),
  }),
  route({
    ...{ method: 'PATCH', path: '/settings', scope: 'admin:write', name: 'updateSettings' },
    summary: 'Changes the settings that are named',
    body: SettingsSchema.partial().meta({ id: 'SettingsChange' }),
    answer: SettingsSchema,
    versioned: true,
    subject: settings,
    async run(call) {
      const { web, found, body, actor } = call
      check(body)
      requireHeldOf(call)
      const changed = Object.keys(body)
      await saveSeen(
        web.tenant,
        (configuration) => settings.version(configuration.settings) === settings.version(found),
        (seen) => saveSettings(web.tenant, body, { actor, changed, seen }),
      )
      const saved = (await web.tenant.currentConfiguration()).settings
      return shown(settings, saved, { ...saved })
    },
  }),
]

// Whoever signs users in can be any of them; and what unknown clients may have, anybody has.
function requireHeldOf({ token, found, body }: ApiCall<string, unknown, Partial<Settings>, Settings>): void {
  if (body.login_handoff !== undefined) requireHeldOfSignIn(token.scope)
  const added = body.dynamic_client_scopes?.filter((scope) => !found.dynamic_client_scopes.includes(scope)) ?? []
  requireHeld(token.scope, added, 'Member dynamic_client_scopes')
}

function check(given: Readonly<Record<string, unknown>>): void {
  try {
    checkSettings(given)
  } catch (cause) {
    // What is wrong with a setting is a sentence of ours that begins with its name, and holds no value.
    const sentence = (cause as Error).message.replace(/^settings\./, 'Member ')
    throw new OAuthError('invalid_request', sentence, { cause })
  }
}
