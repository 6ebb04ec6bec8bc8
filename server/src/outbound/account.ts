import { cleanText } from '../relying/clean_text.ts'
import type { RelyingContext, RelyingParty } from '../relying/context.ts'
import { type IntrospectionOutcome, introspectToken } from '../relying/introspection.ts'
import type { IdTokenClaims, Tokens } from '../relying/outcome.ts'
import { type JsonObject, readPath } from '../relying/read_json.ts'
import { fetchUserinfo, type UserinfoOutcome } from '../relying/userinfo.ts'

/** Whose account a connection reaches: what identifies it at the provider, and what a person calls it. */
export interface Account {
  readonly account: string | null
  readonly account_name: string | null
}

type Claims = { readonly [name: string]: unknown }

const LONGEST_ACCOUNT = 255
const LONGEST_NAME = 200

/**
 * Finds out whose tokens these are, where the provider's record says that it can be known. Null when it should be known
 * and the provider did not say: such tokens are not stored.
 */
export async function findAccount(
  context: RelyingContext,
  party: RelyingParty,
  tokens: Tokens & { readonly id_token_claims: IdTokenClaims | null },
): Promise<Account | null> {
  const { account } = party.provider
  const { id_token_claims: claims, extra } = tokens
  if (account === null) return claims ? readAccount(claims, ['sub'], NAMES) : NOBODY
  if (account.from === 'extra') return readAccount(extra, account.id, account.name)
  if (account.from === 'id_token' && claims) {
    const known = readAccount(claims, account.id, account.name)
    if (!known || known.account_name !== null) return known
    const said = readClaims(await fetchUserinfo(context, party, { ...tokens, sub: claims.sub }))
    return { ...known, account_name: said ? readName(said, account.name) : null }
  }
  const ask = account.from === 'introspection' ? introspectToken : fetchUserinfo
  const said = readClaims(await ask(context, party, tokens))
  return said === undefined ? NOBODY : said && readAccount(said, account.id, account.name)
}

const NOBODY: Account = { account: null, account_name: null }
const NAMES = ['email', 'preferred_username', 'name']

/** What was said; undefined where it is not for us to ask, null where it was not answered as it should be. */
function readClaims(outcome: UserinfoOutcome | IntrospectionOutcome): Claims | null | undefined {
  if (outcome.kind === 'unsupported' || outcome.kind === 'refused') return undefined
  return outcome.kind === 'claims' ? outcome.claims : null
}

function readAccount(claims: Claims, ids: readonly string[], names: readonly string[]): Account | null {
  for (const id of ids) {
    const value = readPath(claims as JsonObject, id)
    if (value === undefined || value === null) continue
    const account = typeof value === 'number' ? String(value) : value
    if (typeof account !== 'string' || account === '' || account.length > LONGEST_ACCOUNT) return null
    return cleanText(account) === account ? { account, account_name: readName(claims, names) } : null
  }
  return null
}

function readName(claims: Claims, names: readonly string[]): string | null {
  for (const name of names) {
    const value = cleanText(readPath(claims as JsonObject, name)).slice(0, LONGEST_NAME)
    if (value !== '') return value
  }
  return null
}
