import { sha256 } from '../../../crypto/hash.ts'
import { listChangedNames } from '../../../inbound/changed_names.ts'
import { saveTrustedIssuer } from '../../../inbound/tokens/trusted_issuers.ts'
import { type Json, readText, refusal } from '../../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { readTrustedIssuer } from '../../../oauth/trusted_issuer.ts'
import type { TrustedIssuerRecord } from '../../../store/verbs/trusted_issuers.ts'
import { errorPage, ours, send, type Visit } from '../../page.ts'
import { isTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf, sentOr } from '../forms/same_by_script.ts'
import { type FormValues, readTyped, refill, seenIn, statusOf, writeTyped } from '../forms/typed_form.ts'
import {
  type EditTrustedIssuerData,
  ISSUER_FIELDS,
  renderEditTrustedIssuer,
  renderTrustedIssuer,
  renderTrustedIssuers,
} from './templates/trusted_issuers.ts'

const PAGE = 50
const LONGEST_ISSUER = 2048

/** GET /admin/trusted_issuers. */
export const trustedIssuersPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const cursor = visit.query['cursor']
  const found = await store.pageTrustedIssuers({ tenant_id, after_issuer: cursor ?? '', most: PAGE + 1 })
  const shown = found.slice(0, PAGE)
  const issuers = shown.map(({ issuer, rules, disabled_at }) => {
    const { clients, scope } = JSON.parse(rules) as { clients: string[]; scope: string }
    return { issuer, clients, scope, disabled: disabled_at !== null }
  })
  const next_cursor = found.length > PAGE ? shown.at(-1)!.issuer : undefined
  return send(visit, renderTrustedIssuers(visit.view, { issuers, cursor, next_cursor }))
})

/** GET /admin/trusted_issuer?issuer=. */
export const trustedIssuerPage = consolePage(async (visit) => {
  const found = await find(visit, visit.query['issuer'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { issuer } = found
  const saved = isTold(visit, 'saved')
  const disabled = found.disabled_at !== null
  return send(visit, renderTrustedIssuer(visit.view, { issuer, disabled, saved, values: write(found) }))
})

/** GET /admin/trusted_issuers/new. */
export const newTrustedIssuerPage = consolePage(async (visit, _administrator, kept) =>
  show(visit, null, ...refill(kept, {})),
)

/** GET /admin/trusted_issuer/edit?issuer=. */
export const editTrustedIssuerPage = consolePage(async (visit, _administrator, kept) => {
  const found = await find(visit, visit.query['issuer'])
  return found ? show(visit, found, ...refill(kept, write(found))) : errorPage(visit, 'not_found', 404)
})

/** POST /admin/trusted_issuers/new and /admin/trusted_issuer/edit: all of it is as it was typed, or nothing is changed. */
export const saveTrustedIssuerSubmit = (made: 'new' | 'known') =>
  consoleSubmit(async (visit, actor, values) => {
    const found = await find(visit, values['issuer'])
    if (made === 'known' && !found) return errorPage(visit, 'not_found', 404)
    const known = made === 'known' ? found : null
    if (values['seen'] !== seenOf(known)) return (await ifDone(visit, values)) ?? show(visit, known, values, 'stale')
    try {
      if (made === 'new' && found) {
        const done = await ifDone(visit, values)
        if (done) return done
        throw refusal('issuer', 'is trusted already')
      }
      const wanted = read(values)
      const { issuer } = wanted
      const changed = listChangedNames(known ? describe(known) : {}, { ...wanted.rules, disabled: wanted.disabled })
      const args = { actor, changed, seen: known }
      const saved = (known && changed.length === 0) || (await saveTrustedIssuer(visit.web.tenant, wanted, args))
      if (saved) return toIssuer(visit, issuer)
      return (await ifDone(visit, values)) ?? show(visit, known && (await find(visit, issuer)), values, 'stale')
    } catch (error) {
      if (!(error instanceof OAuthError) || error.status >= 500) throw error
      return show(visit, known, values, refusedField(error))
    }
  })

function read(values: FormValues) {
  const issuer = readText(values, 'issuer', LONGEST_ISSUER)
  if (issuer === undefined) throw refusal('issuer', 'is missing')
  const { disabled, ...json } = readTyped(ISSUER_FIELDS, values)
  return { issuer, rules: readTrustedIssuer(json), disabled: disabled === true }
}

/** A form that was sent twice leads to what it made; null where something else stands. */
async function ifDone(visit: Visit, values: FormValues): Promise<Response | null> {
  const wanted = sentOr(() => read(values), null)
  const standing = wanted && (await find(visit, wanted.issuer))
  const differs = standing && listChangedNames(describe(standing), { ...wanted.rules, disabled: wanted.disabled })
  return differs?.length === 0 ? toIssuer(visit, wanted!.issuer) : null
}

function toIssuer(visit: Visit, issuer: string): Response {
  return redirectTelling(visit, ours(visit.web, paths.admin_trusted_issuer, { issuer }), 'saved')
}

async function find(visit: Visit, issuer: string | undefined): Promise<TrustedIssuerRecord | null> {
  const { tenant_id, store } = visit.web.tenant
  return issuer === undefined ? null : store.findTrustedIssuer({ tenant_id, issuer })
}

function show(
  visit: Visit,
  known: TrustedIssuerRecord | null,
  values: FormValues,
  wrong?: EditTrustedIssuerData['wrong'],
): Response {
  const seen = seenIn(values, wrong, seenOf(known))
  const like = { jwks_uri: 'https://idp.example/jwks', subject_is: 'username', clients: ['CLIENT_ID'], scope: 'openid' }
  const typed = sentOr(() => (values['clients'] === undefined ? like : readTyped(ISSUER_FIELDS, values)), like)
  const script = known
    ? scriptOf(visit, 'updateTrustedIssuer', { issuer: known.issuer }, { body: typed })
    : scriptOf(
        visit,
        'createTrustedIssuer',
        {},
        { body: { issuer: values['issuer'] ?? 'https://idp.example', ...typed } },
      )
  const html = renderEditTrustedIssuer(visit.view, { issuer: known?.issuer, values, seen, wrong, script })
  return send(visit, html, { status: statusOf(wrong) })
}

function describe({ rules, disabled_at }: TrustedIssuerRecord): Json {
  return { ...(JSON.parse(rules) as Json), disabled: disabled_at !== null }
}

function write(record: TrustedIssuerRecord): FormValues {
  return writeTyped(ISSUER_FIELDS, describe(record))
}

/** Names what stands now: whoever saves has seen it, or is told of the change. */
function seenOf(record: TrustedIssuerRecord | null): string {
  return record === null ? 'nothing' : sha256(JSON.stringify([record.rules, record.disabled_at])).toString('base64url')
}
