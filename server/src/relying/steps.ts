import type { ResolvedProvider } from '../providers/resolve.ts'
import { cleanText } from './clean_text.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider } from './discovery.ts'
import { isErrorWithin200, readErrorResponse, readRetryAfter } from './error_response.ts'
import { type TokenOutcome, type Tokens, unknownOutcome } from './outcome.ts'
import { type Json, type JsonObject, readJson, readPath } from './read_json.ts'
import { readTokenResponse } from './token_response.ts'
import { callAsTold } from './told_call.ts'

type Step = ResolvedProvider['steps'][number]

/** One of several things that a consent may be for: what is known of it, and what is kept if it is chosen. */
export interface Option {
  readonly id: string
  readonly name: string
  readonly kept: JsonObject
}

/** What the steps after an exchange came to: tokens with what was kept, and what the person may choose from. */
export interface Stepped<T extends Tokens> {
  readonly kind: 'stepped'
  readonly tokens: T
  /** Null where there is nothing to choose. */
  readonly options: readonly Option[] | null
}

type Failed = Exclude<TokenOutcome, Tokens>

const MOST_OPTIONS = 100
const LONGEST_KEPT = 1_024
const LONGEST_NAME = 200

/** The parameters that an authorization request takes from the steps before it. */
export async function stepBeforeAuthorization(
  context: RelyingContext,
  party: RelyingParty,
): Promise<{ readonly kind: 'params'; readonly params: Readonly<Record<string, string>> } | Failed> {
  const params: Record<string, string> = {}
  for (const step of party.provider.steps.filter(({ when }) => when === 'before_authorization')) {
    const answer = await callStep(context, party, step, null)
    if (answer instanceof Response) return unknownOutcome(new Error(`Step ${step.name} brought tokens too early`))
    if (answer.kind !== 'answer') return answer
    for (const [name, value] of Object.entries(keepOf(step, answer.body))) params[name] = String(value)
  }
  return { kind: 'params', params }
}

/** Takes what an exchange brought through the steps that its provider's record names. */
export async function stepAfterExchange<T extends Tokens>(
  context: RelyingContext,
  party: RelyingParty,
  brought: T,
): Promise<Stepped<T> | Failed> {
  let tokens = brought
  let options: readonly Option[] | null = null
  for (const step of party.provider.steps.filter(({ when }) => when === 'after_exchange')) {
    const answer = await callStep(context, party, step, tokens)
    if (answer instanceof Response) {
      const secrets = [tokens.access_token, party.client_secret ?? '']
      const reading = { now: context.clock(), secrets, refresh: false }
      const outcome = await readTokenResponse(party.provider, answer, reading)
      if (outcome.kind !== 'tokens') return outcome
      tokens = replace(tokens, outcome)
      continue
    }
    if (answer.kind !== 'answer') return answer
    if (step.choice) options = readOptions(step, step.choice, answer.body)
    else tokens = { ...tokens, extra: { ...tokens.extra, ...keepOf(step, answer.body) } }
  }
  return { kind: 'stepped', tokens, options }
}

// What the second answer leaves out stays as the first one had it.
function replace<T extends Tokens>(before: T, { scope, refresh_token, id_token: _, extra, ...after }: Tokens): T {
  return {
    ...before,
    ...after,
    refresh_token: refresh_token ?? before.refresh_token,
    scope: scope ?? before.scope,
    extra: { ...before.extra, ...extra },
  }
}

/** Makes the call of a step; a response is one that holds tokens. */
async function callStep(
  context: RelyingContext,
  party: RelyingParty,
  step: Step,
  tokens: Tokens | null,
): Promise<Response | { readonly kind: 'answer'; readonly body: Json } | Failed> {
  const { method, url, authorization, body } = step
  const params = Object.entries(step.params).map(([name, value]) => {
    return [name, value.replaceAll('{access_token}', () => tokens?.access_token ?? '')] as const
  })
  let response: Response
  let text: string
  try {
    const server = await discoverProvider(context, party.provider)
    const call = { purpose: 'token' as const, method, url, authorization, body, params: Object.fromEntries(params) }
    response = await callAsTold(context, party, server, call, tokens)
    if (step.replaces_token) return response
    text = await response.text()
  } catch (cause) {
    return unknownOutcome(cause)
  }
  return readAnswer(context, party, step, response, text, tokens)
}

function readAnswer(
  context: RelyingContext,
  party: RelyingParty,
  step: Step,
  response: Response,
  text: string,
  tokens: Tokens | null,
): { readonly kind: 'answer'; readonly body: Json } | Failed {
  const { status } = response
  const shape = party.provider.error_response
  const retry_after_seconds = readRetryAfter(response.headers, context.clock())
  if (status === 429) return { kind: 'throttled', retry_after_seconds }
  let body: Json
  try {
    body = readJson(text)
  } catch (cause) {
    return unknownOutcome(cause, { status, retry_after_seconds })
  }
  const object = body !== null && typeof body === 'object' && !Array.isArray(body) ? (body as JsonObject) : {}
  if (status === 200 && !isErrorWithin200(shape, object)) return { kind: 'answer', body }
  const secrets = [tokens?.access_token ?? '', party.client_secret ?? '']
  const refusal = status < 500 && readErrorResponse(shape, object, status, retry_after_seconds, secrets)
  return refusal || unknownOutcome(new Error(`Step ${step.name} was answered with status ${status}`), { status })
}

function readOptions(step: Step, choice: NonNullable<Step['choice']>, body: Json): Option[] {
  const list = choice.list === '' ? body : readPath(body, choice.list)
  if (!Array.isArray(list)) return []
  return (list as readonly Json[]).slice(0, MOST_OPTIONS).flatMap((item) => {
    const id = readPlain(readPath(item, choice.id))
    if (id === null) return []
    const names = choice.name.map((path) => cleanText(readPath(item, path))).filter((name) => name !== '')
    return [{ id: String(id), name: (names[0] ?? String(id)).slice(0, LONGEST_NAME), kept: keepOf(step, item) }]
  })
}

function keepOf({ keep }: Step, body: Json): JsonObject {
  const kept = Object.entries(keep).map(([name, path]) => [name, readPlain(readPath(body, path))] as const)
  return Object.fromEntries(kept.filter(([, value]) => value !== null))
}

function readPlain(value: Json | undefined): string | number | boolean | null {
  if (typeof value === 'string') return value.length <= LONGEST_KEPT && cleanText(value) === value ? value : null
  return typeof value === 'number' || typeof value === 'boolean' ? value : null
}
