import type { ServerResponse } from 'node:http'
import { type Answer, answerJson, type ReceivedRequest, startHostileProvider } from './hostile_provider.ts'

/** What the provider does with a refresh token whose successor it has issued. */
export type Replay = 'ends_grant' | 'within_grace' | 'accepted' | 'never_rotates'

/** Something that goes wrong with one refresh: what is sent instead, and whether the provider had done its work by then. */
export interface ProviderFault {
  readonly rotated: boolean
  readonly send: (response: ServerResponse, tokens: object) => void
}

/** One consent as the provider has it in its ledger. */
export interface Family {
  readonly name: string
  readonly replay: Replay
  /** The number of the refresh token that is good, and of the access token that was issued last. */
  current: number
  issued: number
  rotated_at: number
  used_at: number
  dead: boolean
  readonly opened_at: number
  /** What goes wrong with the next refreshes, one after the other. */
  readonly faults: ProviderFault[]
  /** Each refresh token as it was presented, with what came of it. */
  readonly calls: Call[]
  under_way: number
  overlapped: boolean
}

/** A refresh token that was presented. */
export interface Call {
  readonly sent: number
  readonly at: number
  readonly outcome: 'issued' | 'in_grace' | 'refused' | 'reused'
}

/** A provider that keeps a ledger of what it issued, under a clock that the test moves. */
export interface LedgerProvider {
  readonly issuer: string
  readonly families: Map<string, Family>
  readonly clock: { offset: number }
  open(name: string, replay: Replay): Family
  close(): Promise<void>
}

const GRACE_MS = 60_000

/** Starts the provider; a code is the name of the family that it opens. `idle_ms` kills what is not used so long. */
export async function startLedgerProvider({ idle_ms = Number.POSITIVE_INFINITY } = {}): Promise<LedgerProvider> {
  const server = await startHostileProvider()
  const clock = { offset: 0 }
  const now = () => Date.now() + clock.offset
  const families = new Map<string, Family>()
  server.answers.set('/token', async (response, request) => {
    const params = new URLSearchParams(request.body)
    const [name, number] = (params.get('refresh_token') ?? `${params.get('code')} 0`).split(' ')
    const family = families.get(name!)
    if (!family) return answerJson({ error: 'invalid_request' }, 400)(response, request)
    if (params.get('grant_type') !== 'refresh_token') {
      family.used_at = now()
      return answerJson(tokensOf(family))(response, request)
    }
    if (++family.under_way > 1) family.overlapped = true
    // A second call that is on its way arrives before this one is answered.
    await new Promise((resolve) => setImmediate(resolve))
    await refresh(family, Number(number), now(), response, request)
    family.under_way--
  })
  // Who a token belongs to: each family is an account of its own.
  server.answers.set('/userinfo', (response, request) => {
    const [, name] = /^Bearer AT (\S+)/.exec(String(request.headers['authorization'])) ?? []
    return answerJson({ sub: name })(response, request)
  })
  return {
    issuer: server.issuer,
    families,
    clock,
    open(name, replay) {
      const family: Family = {
        ...{ name, replay, current: 1, issued: 1, rotated_at: 0, used_at: now(), dead: false },
        ...{ opened_at: now(), faults: [], calls: [], under_way: 0, overlapped: false },
      }
      families.set(name, family)
      return family
    },
    close: () => server.close(),
  }

  function refresh(family: Family, sent: number, at: number, response: ServerResponse, request: ReceivedRequest) {
    const fault = family.faults.shift()
    if (fault && !fault.rotated) {
      family.calls.push({ sent, at, outcome: 'issued' })
      return fault.send(response, tokensOf(family))
    }
    const outcome = judge(family, sent, at)
    family.calls.push({ sent, at, outcome })
    if (outcome === 'refused' || outcome === 'reused') {
      if (outcome === 'reused' && family.replay === 'ends_grant') family.dead = true
      return answerJson({ error: 'invalid_grant' }, 400)(response, request)
    }
    family.used_at = at
    if (family.replay === 'never_rotates') family.issued++
    else {
      if (outcome === 'issued') family.rotated_at = at
      family.current = sent + 1
      family.issued = family.current
    }
    if (fault) return fault.send(response, tokensOf(family))
    return answerJson(tokensOf(family))(response, request)
  }

  function judge(family: Family, sent: number, at: number): Call['outcome'] {
    if (family.dead || at - family.used_at > idle_ms) return 'refused'
    if (sent === family.current) return 'issued'
    if (sent !== family.current - 1) return 'reused'
    if (family.replay === 'accepted') return 'in_grace'
    return family.replay === 'within_grace' && at < family.rotated_at + GRACE_MS ? 'in_grace' : 'reused'
  }
}

/** The answer for what a family holds now. */
function tokensOf(family: Family): object {
  const { name, current } = family
  return {
    access_token: accessToken(family),
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: `${name} ${current}`,
  }
}

/** The access token that a family was issued last. */
export function accessToken({ name, issued }: Family): string {
  return `AT ${name} ${issued}`
}

/** An answer of the hostile provider as a fault. */
export function faultOf(answer: Answer, rotated: boolean): ProviderFault {
  return { rotated, send: (response) => void answer(response, undefined as never) }
}
