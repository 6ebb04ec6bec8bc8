import { OAuthError } from './errors.ts'

/** Scopes that ask for identity or for staying connected. Roles never filter them (OpenID Connect Core 5.4 and 11). */
export const IDENTITY_SCOPES: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'offline_access',
])

const LONGEST_SCOPE = 4096
const MOST_SCOPES = 100

/**
 * The tokens of a scope parameter, in their order, each once (RFC 6749 section 3.3). Surplus spaces are ignored;
 * a character outside the grammar is `invalid_scope`. No token at all is an empty list.
 */
export function parseScope(text: string): string[] {
  if (text.length > LONGEST_SCOPE)
    throw new OAuthError('invalid_scope', 'Parameter scope is longer than 4096 characters')
  const scopes: string[] = []
  let start = 0
  for (let end = 0; end <= text.length; end++) {
    const code = end === text.length ? 0x20 : text.charCodeAt(end)
    if (code === 0x20) {
      if (end > start) addScope(scopes, text.slice(start, end))
      start = end + 1
    } else if (code < 0x21 || code > 0x7e || code === 0x22 || code === 0x5c) {
      throw new OAuthError(
        'invalid_scope',
        `Parameter scope has a character that is not allowed at position ${end + 1}`,
      )
    }
  }
  return scopes
}

function addScope(scopes: string[], scope: string): void {
  if (scopes.includes(scope)) return
  if (scopes.length === MOST_SCOPES) throw new OAuthError('invalid_scope', 'Parameter scope has more than 100 values')
  scopes.push(scope)
}

/** A scope list as it goes on the wire (RFC 6749 section 3.3). */
export function formatScope(scopes: readonly string[]): string {
  return scopes.join(' ')
}

/** Whether each scope of `part` is in `whole`. */
export function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  for (const scope of part) if (!whole.includes(scope)) return false
  return true
}

/** Whether nothing is left that means anything: to stay connected is no right by itself, once the others are lost. */
export function hasLostAll(had: readonly string[], left: readonly string[]): boolean {
  const means = (scope: string) => scope !== 'offline_access'
  return (had.length > 0 && left.length === 0) || (had.some(means) && !left.some(means))
}

/** A set of scopes, however it is known. */
export interface ScopeSet {
  includes(scope: string): boolean
}

/** What `decideScope` looks at. */
export interface ScopeQuestion {
  /** The scopes the request names; none or an empty list asks for the defaults. */
  requested?: readonly string[] | undefined
  /** The scopes the client may have. */
  client_scope: ScopeSet
  /** Leaves out what the client may not have, instead of refusing it. */
  lenient?: boolean | undefined
  /** The default scopes of the resources the token is for. */
  resource_defaults: readonly string[]
  /** The scopes the user's role may give away; null when no role is concerned. */
  role_scopes: ScopeSet | null
  /** Every scope that exists at the named resources; without it, only the client's list is looked at. */
  known_scopes?: readonly string[] | undefined
}

/**
 * The scopes to grant: asked, cut to the client's and the role's (RFC 6749 section 3.3). What is unknown or not the
 * client's is refused by name, unless the rule is lenient; what the role lacks is left out; nothing left is
 * `invalid_scope`. A request that names none gets the resources' defaults, cut in the same way, and never identity, administration or the vault.
 */
export function decideScope(question: ScopeQuestion): string[] {
  const { requested, client_scope, role_scopes, known_scopes } = question
  if (requested === undefined || requested.length === 0) return decideDefaultScope(question)
  const granted: string[] = []
  for (const scope of requested) {
    if (known_scopes !== undefined && !IDENTITY_SCOPES.has(scope) && !known_scopes.includes(scope)) {
      throw new OAuthError('invalid_scope', `Scope '${scope}' does not exist at the requested resource`)
    }
    if (!client_scope.includes(scope)) {
      if (question.lenient) continue
      throw new OAuthError('invalid_scope', `Scope '${scope}' is not allowed for this client`)
    }
    if (isWithinRole(scope, role_scopes)) granted.push(scope)
  }
  if (granted.length === 0)
    throw new OAuthError('invalid_scope', 'None of the requested scopes can be granted to this client by this user')
  return granted
}

function decideDefaultScope({ client_scope, resource_defaults, role_scopes }: ScopeQuestion): string[] {
  const granted: string[] = []
  for (const scope of resource_defaults) {
    if (mayBeDefault(scope) && client_scope.includes(scope) && isWithinRole(scope, role_scopes)) granted.push(scope)
  }
  if (granted.length === 0) {
    throw new OAuthError('invalid_scope', 'Parameter scope is missing, and there is no default scope for this request')
  }
  return granted
}

function isWithinRole(scope: string, role_scopes: ScopeSet | null): boolean {
  return role_scopes === null || IDENTITY_SCOPES.has(scope) || role_scopes.includes(scope)
}

/** Whether a scope may be granted to a request that does not name it. */
export function mayBeDefault(scope: string): boolean {
  return !IDENTITY_SCOPES.has(scope) && !/^(?:admin|vault)(?::|$)/.test(scope)
}

/**
 * The scopes of an access token drawn from a grant: all of them, or the subset the request names
 * (RFC 6749 section 6). Anything outside the grant is `invalid_scope`.
 */
export function narrowScope(requested: readonly string[] | undefined, granted: readonly string[]): readonly string[] {
  if (requested === undefined || requested.length === 0) return granted
  for (const scope of requested) {
    if (!granted.includes(scope)) throw new OAuthError('invalid_scope', `Scope '${scope}' is not part of the grant`)
  }
  return requested
}
