import * as z from 'zod'
import { listScopes, requireHeld } from '../../inbound/administration/given_rights.ts'
import { listChangedNames } from '../../inbound/changed_names.ts'
import { saveTrustedIssuer } from '../../inbound/tokens/trusted_issuers.ts'
import { readTrustedIssuer, type TrustedIssuerRules } from '../../oauth/trusted_issuer.ts'
import type { TrustedIssuerRecord } from '../../store/verbs/trusted_issuers.ts'
import { PAGING, pageOf, replyPage } from './page_of.ts'
import { stale } from './preconditions.ts'
import { conflict, notThere } from './problem.ts'
import { type ApiRequest, route, type Subject, shown } from './route.ts'

const RULES = {
  jwks: z.strictObject({ keys: z.array(z.unknown()) }).optional(),
  jwks_uri: z.string().optional(),
  subject_is: z.enum(['user_id', 'username']).optional(),
  subjects: z.record(z.string(), z.string()).optional(),
  clients: z.array(z.string()).optional(),
  scope: z.string().optional(),
  software_statements: z.boolean().optional(),
}
const MEMBERS = { ...RULES, disabled: z.boolean().default(false) }
const IssuerSchema = z
  .strictObject({ issuer: z.string(), ...RULES, disabled: z.boolean() })
  .meta({ id: 'TrustedIssuer', description: 'Somebody whose assertions are taken (RFC 7523 section 2.1)' })

const issuer: Subject<TrustedIssuerRecord> = {
  name: 'trusted issuer',
  find: ({ web, params }) =>
    web.tenant.store.findTrustedIssuer({ tenant_id: web.tenant.tenant_id, issuer: params['issuer']! }),
  version: ({ issuer, rules, disabled_at }) => JSON.stringify([issuer, rules, disabled_at]),
}

/** The routes of trusted issuers. */
export const TRUSTED_ISSUER_ROUTES = [
  route({
    ...{ method: 'GET', path: '/trusted_issuers', scope: 'admin:read', name: 'listTrustedIssuers' },
    summary: 'Trusted issuers by name',
    query: PAGING,
    answer: pageOf(IssuerSchema),
    run: ({ web, query }) => {
      const { tenant_id, store } = web.tenant
      const find = (after_issuer: string, most: number) => store.pageTrustedIssuers({ tenant_id, after_issuer, most })
      return replyPage(query, find, describe, ({ issuer }) => issuer)
    },
  }),
  route({
    ...{ method: 'POST', path: '/trusted_issuers', scope: 'admin:write', name: 'createTrustedIssuer', status: 201 },
    summary: 'Trusts an issuer',
    body: z.strictObject({ issuer: z.string().min(1, 'must not be empty'), ...MEMBERS }),
    answer: IssuerSchema,
    versioned: true,
    async run({ web, token, body: { issuer, ...body }, actor }) {
      const { tenant_id, store } = web.tenant
      if (await store.findTrustedIssuer({ tenant_id, issuer })) throw conflict('Member issuer is trusted already')
      return save({ web, token, actor }, issuer, body, null)
    },
  }),
  route({
    ...{ method: 'GET', path: '/trusted_issuers/{issuer}', scope: 'admin:read', name: 'getTrustedIssuer' },
    summary: 'One trusted issuer',
    answer: IssuerSchema,
    versioned: true,
    subject: issuer,
    run: ({ found }) => shown(issuer, found, describe(found)),
  }),
  route({
    ...{ method: 'PUT', path: '/trusted_issuers/{issuer}', scope: 'admin:write', name: 'updateTrustedIssuer' },
    summary: 'Says what an issuer may say, all of it, and switches it on or off, which works at once',
    body: z.strictObject(MEMBERS),
    answer: IssuerSchema,
    versioned: true,
    subject: issuer,
    run: (call) => save(call, call.found.issuer, call.body, call.found),
  }),
]

async function save(
  { web, token, actor }: Pick<ApiRequest, 'web' | 'token' | 'actor'>,
  name: string,
  { disabled, ...json }: { readonly disabled: boolean },
  seen: TrustedIssuerRecord | null,
) {
  const wanted = { issuer: name, rules: readTrustedIssuer(json), disabled }
  requireHeld(token.scope, listScopes(wanted.rules.scope), 'Member scope')
  const { issuer: _, ...before } = seen ? describe(seen) : { issuer: name }
  const changed = listChangedNames(before, { ...wanted.rules, disabled })
  if (changed.length > 0 && !(await saveTrustedIssuer(web.tenant, wanted, { actor, changed, seen }))) throw stale()
  const { tenant_id, store } = web.tenant
  const saved = await store.findTrustedIssuer({ tenant_id, issuer: name })
  if (!saved) throw notThere('trusted issuer')
  return shown(issuer, saved, describe(saved))
}

function describe({ issuer, rules, disabled_at }: TrustedIssuerRecord): z.input<typeof IssuerSchema> {
  const { clients, ...rest } = JSON.parse(rules) as TrustedIssuerRules
  return { issuer, ...rest, clients: [...clients], disabled: disabled_at !== null }
}
