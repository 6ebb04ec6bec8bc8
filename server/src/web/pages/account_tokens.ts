import { newId } from '../../crypto/random.ts'
import { deletePermanentToken } from '../../inbound/tokens/permanent_tokens.ts'
import {
  createPersonalToken,
  hasPersonalTokens,
  listLifetimes,
  listTokenOffers,
  type TokenOffer,
} from '../../inbound/tokens/personal_access_tokens.ts'
import { tellChange } from '../../inbound/users/letters.ts'
import { readFormId } from '../admin/forms/form_id.ts'
import { send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { backToAccount, signedInPage, signedInSubmit } from './account.ts'
import { describeScopes } from './described_scopes.ts'
import { makeSure, type Sure } from './security.ts'
import { type NewTokenData, type NewTokenForm, renderMadeToken, renderNewToken } from './templates/new_token.ts'

/** POST /account/tokens/delete: deletes a permanent token of the user, which is dead at once. */
export const deleteTokenSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { user_id } = user
  const { token_id = '' } = values
  await deletePermanentToken(visit.web.tenant, { user_id, token_id, actor: `user:${user_id}` })
  return backToAccount(visit, 'token')
})

/** GET /account/tokens/new: asks what a token for a script is for; whoever makes one has signed in just now (ASVS 7.5.3). */
export const newTokenPage = signedInPage((visit, signed_in) => {
  const { uri = '' } = visit.query
  return makeSure(visit, signed_in, pathFor(uri), (sure) => show(visit, sure, { resource: uri }))
})

/** POST /account/tokens/new: makes it, and shows it this once. */
export const newTokenSubmit = signedInSubmit((visit, signed_in, values) => {
  const { uri = '' } = values
  return makeSure(visit, signed_in, pathFor(uri), (sure) => make(visit, sure, values))
})

const pathFor = (uri: string) =>
  uri === '' ? paths.account_new_token : `${paths.account_new_token}?${new URLSearchParams({ uri })}`

async function make(visit: Visit, sure: Sure, values: Readonly<Record<string, string>>): Promise<Response> {
  const { web, view, configuration } = visit
  const { user, session } = sure
  const { uri: resource = '', name = '', days } = values
  const token_id = readFormId(values['token_id'])
  const scope = Object.entries(values).flatMap(([field, value]) => (/^scope\.\d+$/.test(field) ? [value] : []))
  const typed = { name, scope: [...new Set(scope)], days: Number(days) }
  // A session lives in the epoch of its tenant, or not at all.
  const state = { epoch: session.tenant_epoch }
  const made = await createPersonalToken(web.tenant, configuration, { ...typed, user, state, token_id, resource })
  if (made.kind === 'twice') return backToAccount(visit, 'token_twice')
  if (made.kind === 'wrong') return show(visit, sure, { resource, wrong: made.about, typed, token_id })
  tellChange(web.inbound, user, 'token_made', view.lang)
  const line = `curl -H 'Authorization: Bearer ${made.token}' ${quote(resource)}`
  return send(visit, renderMadeToken(view, { ...made, name, line }), { script: true })
}

// A word of a POSIX shell.
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

interface Shown {
  readonly resource: string
  readonly wrong?: NewTokenData['wrong']
  readonly typed?: NewTokenForm['typed']
  readonly token_id?: string | undefined
}

function show(visit: Visit, { user }: Sure, shown: Shown): Response {
  const { web, view, configuration } = visit
  if (!hasPersonalTokens(configuration)) {
    return send(visit, renderNewToken(view, { resources: [], wrong: 'off' }), { status: 403 })
  }
  const offers = listTokenOffers(web.tenant, configuration, user)
  const chosen = offers.find(({ resource }) => resource.resource === shown.resource)
  const only = chosen ?? (offers.length === 1 ? offers[0] : undefined)
  const form = only && {
    resource: nameOf(only),
    scopes: describe(visit, only),
    lifetimes: listLifetimes(configuration),
    token_id: shown.token_id ?? newId(view.now),
    typed: shown.typed,
  }
  const { wrong } = shown
  const html = renderNewToken(view, { resources: offers.map(nameOf), form, wrong })
  return send(visit, html, { status: wrong ? 400 : 200 })
}

function nameOf({ resource: { resource, name } }: TokenOffer) {
  return { resource, name: name === resource ? undefined : name }
}

function describe({ web, view, configuration }: Visit, { resource, scope }: TokenOffer) {
  const asked = { scope, resource: [resource.resource], new_scope: [], optional_scope: scope }
  return describeScopes(view, web.tenant.issuer, configuration, asked)
}
