import type { Check } from './checks.ts'
import { type ClientId, CODE_VERIFIER, JWT_RESOURCE, OPAQUE_RESOURCE, REDIRECT_URI, SCOPE } from './world.ts'

/** A server under load: where it listens, and a way to make codes in it. */
export interface Target {
  readonly port: number
  readonly introspection_path: string
  /** Codes that `web` may redeem, made outside of HTTP and of the measured time. */
  makeCodes(count: number, scope: string, resource: string): Promise<readonly string[]>
  /** One answer, outside of the measured time. */
  ask(path: string, client: ClientId, form: string): Promise<Readonly<Record<string, string>>>
}

/** The servers that are compared; `before` is a Sallyport of another checkout. */
export type Side = Ours | 'before_sqlite' | 'before_postgres' | 'peer_memory' | 'peer_postgres' | 'floor'
type Ours = 'sallyport_sqlite' | 'sallyport_postgres'

/** A kind of request, the same for every server. */
export interface Work {
  readonly name: string
  readonly title: string
  readonly client: ClientId
  readonly path: 'token' | 'introspection'
  readonly use: 'again' | 'once' | 'chain'
  readonly check: Check
  /** Whether the floor does it too: a bare server that only signs. */
  readonly floor?: boolean
  /** The forms of a round; `count` is how many requests the round may come to. */
  prepare(target: Target, count: number, side: Side): Promise<readonly string[]>
  /** How many times faster than which peer each of ours has to be, as `performance.md` of the project asks. */
  readonly goals: { readonly sallyport_sqlite: Goal; readonly sallyport_postgres: Goal }
}

/** At least `ratio` times the requests of a peer. */
export interface Goal {
  readonly ratio: number
  readonly peer: 'peer_memory' | 'peer_postgres'
}

const OFFLINE = `offline_access ${SCOPE}`
const WITH_ID_TOKEN = `openid ${OFFLINE}`
const CHAINS = 256
const INTROSPECTED = 256

const machineForm = (resource: string) => `grant_type=client_credentials&scope=${SCOPE}&resource=${encode(resource)}`
const exchangeForm = (code: string) =>
  `grant_type=authorization_code&code=${code}&redirect_uri=${encode(REDIRECT_URI)}&code_verifier=${CODE_VERIFIER}`
const refreshForm = (token: string) => `grant_type=refresh_token&refresh_token=${token}`
const encode = encodeURIComponent

/** Tokens of as many users' grants, by exchanging codes. */
async function exchangeCodes(target: Target, count: number, scope: string, resource: string) {
  const codes = await target.makeCodes(count, scope, resource)
  return Promise.all(codes.map((code) => target.ask('/token', 'web', exchangeForm(code))))
}

function introspection(of: string): Pick<Work, 'client' | 'path' | 'use' | 'check' | 'prepare'> {
  return {
    ...{ client: 'api', path: 'introspection', use: 'again', check: 'active' },
    async prepare(target, _, side) {
      // oidc-provider does not introspect JWTs: its opaque tokens are what ours are compared with.
      const resource = side.startsWith('peer') ? OPAQUE_RESOURCE : of
      const answers = await exchangeCodes(target, INTROSPECTED, OFFLINE, resource)
      return answers.map(({ access_token }) => `token_type_hint=access_token&token=${access_token}`)
    },
  }
}

function refreshing(resource: string): Pick<Work, 'client' | 'path' | 'use' | 'check' | 'prepare'> {
  return {
    ...{ client: 'web', path: 'token', use: 'chain', check: 'refreshed' },
    async prepare(target) {
      const answers = await exchangeCodes(target, CHAINS, OFFLINE, resource)
      return answers.map(({ refresh_token }) => refreshForm(refresh_token!))
    },
  }
}

function exchanging(resource: string): Pick<Work, 'client' | 'path' | 'use' | 'check' | 'prepare'> {
  return {
    ...{ client: 'web', path: 'token', use: 'once', check: 'exchanged' },
    async prepare(target, count) {
      return (await target.makeCodes(count, WITH_ID_TOKEN, resource)).map(exchangeForm)
    },
  }
}

/** Everything that is measured. */
export const WORKS: readonly Work[] = [
  {
    ...{ name: 'machine_jwt', title: 'client credentials, JWT ES256', client: 'machine', path: 'token' },
    ...{ use: 'again', check: 'jwt', floor: true, prepare: async () => [machineForm(JWT_RESOURCE)] },
    goals: {
      sallyport_sqlite: { ratio: 3, peer: 'peer_memory' },
      sallyport_postgres: { ratio: 3, peer: 'peer_memory' },
    },
  },
  {
    ...{ name: 'machine_opaque', title: 'client credentials, opaque', client: 'machine', path: 'token' },
    ...{ use: 'again', check: 'opaque', prepare: async () => [machineForm(OPAQUE_RESOURCE)] },
    goals: {
      sallyport_sqlite: { ratio: 3, peer: 'peer_memory' },
      sallyport_postgres: { ratio: 4, peer: 'peer_postgres' },
    },
  },
  {
    ...{ name: 'introspect_opaque', title: 'introspection, opaque' },
    ...introspection(OPAQUE_RESOURCE),
    goals: {
      sallyport_sqlite: { ratio: 4, peer: 'peer_postgres' },
      sallyport_postgres: { ratio: 7, peer: 'peer_postgres' },
    },
  },
  {
    ...{ name: 'introspect_jwt', title: 'introspection, JWT (peer: opaque)' },
    ...introspection(JWT_RESOURCE),
    goals: {
      sallyport_sqlite: { ratio: 4, peer: 'peer_postgres' },
      sallyport_postgres: { ratio: 7, peer: 'peer_postgres' },
    },
  },
  {
    ...{ name: 'refresh_opaque', title: 'refresh, opaque access token' },
    ...refreshing(OPAQUE_RESOURCE),
    goals: {
      sallyport_sqlite: { ratio: 4, peer: 'peer_postgres' },
      sallyport_postgres: { ratio: 6.5, peer: 'peer_postgres' },
    },
  },
  {
    ...{ name: 'refresh_jwt', title: 'refresh, JWT access token' },
    ...refreshing(JWT_RESOURCE),
    goals: {
      sallyport_sqlite: { ratio: 4, peer: 'peer_postgres' },
      sallyport_postgres: { ratio: 6.5, peer: 'peer_postgres' },
    },
  },
  {
    ...{ name: 'code', title: 'code + PKCE, ID token, opaque access token' },
    ...exchanging(OPAQUE_RESOURCE),
    goals: {
      sallyport_sqlite: { ratio: 4, peer: 'peer_postgres' },
      sallyport_postgres: { ratio: 6, peer: 'peer_postgres' },
    },
  },
]
