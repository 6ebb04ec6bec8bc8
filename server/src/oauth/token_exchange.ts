import type { Actor } from './access_token.ts'
import { type Json, readBoolean, readTexts, refusal } from './clients/metadata_member.ts'
import { OAuthError } from './errors.ts'
import { type Params, requireParam } from './params.ts'

/** The grant type of RFC 8693 section 2.1. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The kinds of tokens that are exchanged or asked for here (RFC 8693 section 3). */
export type TokenType = 'access_token' | 'id_token' | 'jwt'

const PREFIX = 'urn:ietf:params:oauth:token-type:'

/** The identifier of a kind of token. */
export const tokenTypeUri = (type: TokenType): string => PREFIX + type

/** A chain of parties is at most so long: whoever is beyond the fourth cannot say why they act. */
export const MOST_ACTORS = 4

/** A token comes of so many exchanges at most, each of the result of the one before. */
export const MOST_EXCHANGES = 4

/**
 * What a client may exchange beyond tokens of its own, set by an administrator alone (CVE-2022-1245). Which tokens it may
 * present is for others to say: a resource names the clients that stand for it, a trusted issuer those that bring its
 * assertions.
 */
export interface ExchangePolicy {
  /** The resources that it may get tokens for; without them only those of the token it presents. */
  resources: string[]
  /** Whether its tokens may leave out that it acts (RFC 8693 section 1.1). */
  impersonation: boolean
}

/** Reads the member `token_exchange` of client metadata; absent where nothing is allowed. */
export function readExchangePolicy(source: Json): ExchangePolicy | undefined {
  const value = source['token_exchange']
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw refusal('token_exchange', 'must be an object')
  const policy = value as Json
  const names = ['resources', 'impersonation']
  const unknown = Object.keys(policy).find((name) => !names.includes(name))
  if (unknown !== undefined) throw refusal('token_exchange', `may have only ${names.join(', ')}`)
  return {
    resources: readTexts(policy, 'resources', 2048) ?? [],
    impersonation: readBoolean(policy, 'impersonation') ?? false,
  }
}

/** What a request wants exchanged, and into what (RFC 8693 section 2.1). */
export interface ExchangeRequest {
  readonly subject_token: string
  readonly subject_token_type: TokenType
  readonly actor: { readonly token: string; readonly type: TokenType } | null
  readonly requested_token_type: 'access_token' | 'jwt'
}

/** Reads the parameters of an exchange; kinds of tokens that we do not take or make are `invalid_request`. */
export function readExchangeRequest(params: Params): ExchangeRequest {
  const { actor_token, actor_token_type, requested_token_type } = params.values
  if (actor_token === undefined && actor_token_type !== undefined) {
    throw new OAuthError('invalid_request', 'Parameter actor_token_type is given without actor_token')
  }
  const subject_token = requireParam(params, 'subject_token')
  const subject_token_type = readType('subject_token_type', requireParam(params, 'subject_token_type'), ALL)
  const actor = actor_token !== undefined && {
    token: actor_token,
    type: readType('actor_token_type', requireParam(params, 'actor_token_type'), ['access_token']),
  }
  const wanted = requested_token_type ?? tokenTypeUri('access_token')
  const made = readType('requested_token_type', wanted, ['access_token', 'jwt'])
  return {
    subject_token,
    subject_token_type,
    actor: actor || null,
    requested_token_type: made as 'access_token' | 'jwt',
  }
}

/**
 * The refusal of a token that is presented, for whatever reason: `invalid_request` by RFC 8693 section 2.2.2. By `reason` a
 * program tells it from a request that it has written wrongly.
 */
export function tokenRefused(parameter: 'subject_token' | 'actor_token', text: string, cause?: unknown): OAuthError {
  const members = { reason: `${parameter}_refused` }
  return new OAuthError('invalid_request', text, { members, ...(cause !== undefined && { cause }) })
}

const ALL: readonly TokenType[] = ['access_token', 'id_token', 'jwt']

function readType(name: string, uri: string, known: readonly TokenType[]): TokenType {
  const type = known.find((candidate) => tokenTypeUri(candidate) === uri)
  if (type === undefined) {
    throw new OAuthError('invalid_request', `Parameter ${name} must be ${known.map(tokenTypeUri).join(' or ')}`)
  }
  return type
}

/**
 * The actor of the new token: whoever acts now, those who act for them, and those who acted before, one inside the other
 * (RFC 8693 section 4.1). One who is already the outermost of those before is not written twice.
 */
export function nestActor(actor: Actor | null, before: Actor | undefined): Actor | undefined {
  const [acting, earlier] = [listActors(actor ?? undefined), listActors(before)]
  const [last, first] = [acting.at(-1), earlier[0]]
  if (last && first && last.sub === first.sub && last.iss === first.iss) acting.pop()
  const parties = [...acting, ...earlier]
  if (parties.length > MOST_ACTORS) {
    throw new OAuthError('invalid_request', `More than ${MOST_ACTORS} parties would act for one another`)
  }
  return parties.reduceRight<Actor | undefined>((inner, party) => (inner ? { ...party, act: inner } : party), undefined)
}

function listActors(outermost: Actor | undefined): Omit<Actor, 'act'>[] {
  if (!outermost) return []
  const { act, ...party } = outermost
  return [party, ...listActors(act)]
}

/** Who acts by the word of an issuer that the tenant trusts, under that issuer's names; what is not understood is refused. */
export function readActor(act: unknown, issuer: string): Actor | undefined {
  if (act === undefined) return undefined
  const { sub, iss = issuer, act: inner } = Object(act) as Record<string, unknown>
  if (typeof sub !== 'string' || typeof iss !== 'string') {
    throw tokenRefused('subject_token', 'The claim act of the assertion names nobody')
  }
  const before = readActor(inner, issuer)
  return before ? { sub, iss, act: before } : { sub, iss }
}

/**
 * Whether a subject token allows an actor by its claim `may_act` (RFC 8693 section 4.4): one that names somebody allows
 * nobody else; one that is not understood allows nobody.
 */
export function mayAct(may_act: unknown, actor: Actor): boolean {
  if (may_act === undefined) return true
  if (typeof may_act !== 'object' || may_act === null || Array.isArray(may_act)) return false
  const { sub, iss } = may_act as { sub?: unknown; iss?: unknown }
  return typeof sub === 'string' && sub === actor.sub && (iss === undefined || iss === actor.iss)
}
