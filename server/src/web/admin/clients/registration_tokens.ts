import { newId } from '../../../crypto/random.ts'
import { createRegistrationToken, endRegistrationToken } from '../../../inbound/clients/registration_tokens.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { readFormId } from '../forms/form_id.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type RegistrationTokensData, renderRegistrationTokens, TOKEN_FIELDS } from './templates/registration_tokens.ts'

/** GET /admin/clients/registration_tokens: the initial access tokens there are (RFC 7591 section 3). */
export const registrationTokensPage = consolePage((visit, _administrator, kept) =>
  show(visit, kept && kept !== 'too_long' ? { values: kept.values, ...formId(kept.values) } : {}),
)

/** POST /admin/clients/registration_tokens: a new one, shown once. */
export const newRegistrationTokenSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, grant_types } = visit.web
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  const options = {
    ...values,
    name: values['name'] ?? '',
    uses: number(values['uses']),
    days: number(values['days']),
  }
  const known = grant_types.map(({ grant_type }) => grant_type)
  try {
    const { token } = await createRegistrationToken(tenant, known, options, actor, readFormId(values['token_id']))
    return await show(visit, { made: { token, endpoint: `${tenant.issuer}/register` } })
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    if (error.status === 409)
      return redirect(visit, ours(visit.web, paths.admin_registration_tokens, { twice: 'true' }))
    const typed = Object.fromEntries(TOKEN_FIELDS.map((name) => [name, values[name]]))
    return show(visit, { wrong: error.error_description, values: typed, ...formId(values) }, 400)
  }
})

/** POST /admin/clients/registration_tokens/end. */
export const endRegistrationTokenSubmit = consoleSubmit(async (visit, actor, values) => {
  const ended = await endRegistrationToken(visit.web.tenant, values['token_id'] ?? '', actor)
  return ended ? redirect(visit, ours(visit.web, paths.admin_registration_tokens)) : errorPage(visit, 'not_found', 404)
})

function formId(values: Readonly<Record<string, string>>): { token_id?: string } {
  const token_id = readFormId(values['token_id'])
  return token_id === undefined ? {} : { token_id }
}

async function show(visit: Visit, more: Partial<RegistrationTokensData> = {}, status = 200): Promise<Response> {
  const { tenant_id, store } = visit.web.tenant
  const { registration } = visit.configuration.settings
  const tokens = await store.listRegistrationTokens({ tenant_id })
  const { name = 'partners', uses, days, scope, grant_types } = more.values ?? {}
  const numbers = { ...(Number(uses) > 0 && { uses: Number(uses) }), ...(Number(days) > 0 && { days: Number(days) }) }
  const body = { name, ...numbers, ...(scope && { scope }), ...(grant_types && { grant_types }) }
  const [first] = tokens
  const twice = visit.query['twice'] === 'true'
  const token_id = more.token_id ?? newId(visit.view.now)
  const scripts = {
    create: scriptOf(visit, 'createRegistrationToken', {}, { body }),
    end: first && scriptOf(visit, 'endRegistrationToken', { token_id: first.token_id }),
  }
  return send(
    visit,
    renderRegistrationTokens(visit.view, { registration, tokens, scripts, twice, ...more, token_id }),
    { status, script: true },
  )
}
