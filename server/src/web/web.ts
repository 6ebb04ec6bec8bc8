import type { KeyObject } from 'node:crypto'
import { equalBytes, hmac, sha256 } from '../crypto/hash.ts'
import type { GrantType } from '../inbound/authorization/grant_type.ts'
import type { InboundContext } from '../inbound/context.ts'
import type { Languages } from '../languages/languages.ts'
import type { OutboundContext } from '../outbound/context.ts'
import type { Tenant } from '../store/tenant.ts'
import type { WebhookContext } from '../webhooks/context.ts'
import type { EndpointAliases } from './endpoint_paths.ts'
import type { EventTail } from './event_tail.ts'
import type { Log } from './log.ts'
import type { Text } from './ui/text/en.ts'

/** What every endpoint and page works with. */
export interface Web {
  /** The embedder's own way to know who somebody is. */
  readonly authenticate: Authenticate | undefined
  readonly tenant: Tenant
  readonly inbound: InboundContext
  readonly outbound: OutboundContext
  readonly webhooks: WebhookContext
  /** Those who follow the audit log. */
  readonly event_tail: EventTail
  readonly grant_types: readonly GrantType[]
  /** What people can be answered in. */
  readonly languages: Languages<Text>
  /** Further paths of the common endpoints. */
  readonly aliases: EndpointAliases
  readonly log: Log
  /** Counts what happens, where somebody wants to know. */
  readonly observer: WebObserver | undefined
  /** Of this software. */
  readonly version: string
  /** The issuer is https: cookies are secure, browsers are told to stay on https. */
  readonly production: boolean
  /** Administrators have the playground: in development, and in production where the operator allows it. */
  readonly playground: boolean
  /** The path of the issuer, empty or `/hub`. */
  readonly base: string
  readonly origin: string
  readonly cookies: CookieNames
}

/** Is told what happens, in words of this software alone: grant types, endpoints of the table, error codes. */
export interface WebObserver {
  issued(grant_type: string): void
  refused(endpoint: string, error: string): void
}

/** Who somebody is, by the session that the embedder's own application has with them. */
export interface EmbedderUser {
  /** The embedder's own name for the user, never given to anybody else: at most 255 characters. */
  readonly sub: string
  readonly username?: string
  readonly name?: string
  readonly email?: string
  readonly email_verified?: boolean
  /** How they proved who they are (RFC 8176), where that is known. */
  readonly amr?: readonly string[]
  /** When, in seconds since the epoch. */
  readonly auth_time?: number
}

/**
 * Asks the embedder who sends a request to the sign-in page; null is nobody that it knows. With `anew` only who has just
 * proved it again may be named.
 */
export type Authenticate = (
  request: Request,
  ask: { readonly anew: boolean; readonly login_hint: string | undefined },
) => Promise<EmbedderUser | null> | EmbedderUser | null

/** The names of our cookies at an issuer, and where they are sent. */
export interface CookieNames {
  readonly session: string
  /** A sign-in whose second factor is still to come. */
  readonly pending: string
  /** Ties forms and connect flows to one browser, signed in or not. */
  readonly browser: string
  /** Says from which devices a user signed in before, so that a stranger's guesses do not count there. */
  readonly device: string
  /** What a connect session is known by in the browser that opened it; the session's own name follows. */
  readonly connect: string
  /** What was done just before, which the next page says. */
  readonly told: string
  readonly theme: string
  /** The language that was chosen in this browser, and when. */
  readonly language: string
  readonly path: string
  readonly secure: boolean
}

/**
 * Cookie names by where the issuer stands: `__Host-` at a host of our own, `__Secure-` with a path under a shared one
 * (RFC 6265bis section 4.1.3). Over http, which is for development, no prefix is possible.
 */
export function cookieNames(issuer: string): CookieNames {
  const { protocol, pathname } = new URL(issuer)
  const secure = protocol === 'https:'
  const path = pathname.replace(/\/$/, '') || '/'
  const prefix = !secure ? '' : path === '/' ? '__Host-' : '__Secure-'
  // Cookies do not know ports, so that servers on one machine need names of their own.
  const suffix = secure ? '' : `_${sha256(issuer).toString('hex').slice(0, 8)}`
  const name = (of: string) => `${prefix}sallyport_${of}${suffix}`
  return {
    session: name('session'),
    pending: name('sign_in'),
    browser: name('browser'),
    device: name('device'),
    connect: name('connect'),
    told: name('told'),
    theme: name('theme'),
    language: name('language'),
    path,
    secure,
  }
}

/** The token that a form carries against forgery: bound to the browser and, once there is one, to the session. */
export function csrfToken(tenant: Tenant, browser: string, session_id: string | null): string {
  return hmac(csrfKey(tenant), JSON.stringify([browser, session_id])).toString('base64url')
}

/** Whether a posted token is the one that this browser's forms carry. */
export function isCsrfToken(
  tenant: Tenant,
  browser: string,
  session_id: string | null,
  posted: string | undefined,
): boolean {
  return equalBytes(Buffer.from(csrfToken(tenant, browser, session_id)), Buffer.from(posted ?? ''))
}

function csrfKey(tenant: Tenant): KeyObject {
  return tenant.keys.derive('csrf')!
}
