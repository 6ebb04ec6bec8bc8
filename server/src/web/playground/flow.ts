import type { enPlaygroundFlows } from '../ui/text/en_playground_flows.ts'
import type { CodeName } from './code.ts'

/** Names of the sentences about a flow: what they say stands in the catalogue. */
type Words = typeof enPlaygroundFlows

/** A flow as data: the page draws it, the island in the browser runs it, and a test runs all of it and breaks it. */
export interface Flow {
  readonly flow: keyof Words['flows']
  /** Where it is described. */
  readonly spec: string
  /** What the throw-away client is registered with, beside its name and redirect URI. */
  readonly client: Readonly<Record<string, unknown>> & { readonly scope?: string }
  /** A key pair that the browser makes at the start; the server is given its public half, as the client's or as an issuer's. */
  readonly key?: { readonly name: string; readonly of: 'client' | 'issuer' }
  /** What the person says before it starts; whoever names a document names the client by it, and none is registered. */
  readonly inputs?: readonly ('connector' | 'path' | 'document')[]
  /** What the tenant has to allow for it. */
  readonly needs?: 'open_registration' | 'metadata_documents' | 'client_certificates'
  readonly steps: readonly Step[]
}

/** Who takes part. */
export type Party = 'person' | 'app' | 'server' | 'api' | 'provider'

/** One step: something made, shown or checked by the app itself, a journey of the browser, a request, or what a person does. */
export type Step = {
  readonly step: string
  readonly says: keyof Words['steps']
  readonly from: Party
  readonly to: Party
  /** Wrong ways to do it, each with the refusal that it must meet. */
  readonly breaks?: readonly Break[]
} & ((MakeStep | CheckStep | BrowserStep | RequestStep) | ShowStep | { readonly kind: 'person'; readonly link: string })

/** The app makes values by itself. */
export interface MakeStep {
  readonly kind: 'make'
  readonly makes: readonly Made[]
}

/** What a person takes somewhere else: a text that is a value of the flow. */
export interface ShowStep {
  readonly kind: 'show'
  readonly value: string
}

/** The app reads a JWT that it was given. */
export interface CheckStep {
  readonly kind: 'check'
  /** The name of the value that is the JWT. */
  readonly token: string
  readonly checks: readonly Check[]
}

/** The browser goes somewhere, and comes back with an answer in its query. */
export interface BrowserStep {
  readonly kind: 'browser'
  /** By a form, so that nothing of it is in a URL; else by a link. */
  readonly method?: 'POST'
  readonly url: string
  readonly query: readonly Param[]
  /** Parameters of the answer that must be what was sent. */
  readonly checks: Readonly<Record<string, string>>
  readonly keeps: readonly string[]
}

/** A request that the app sends. */
export interface RequestStep {
  readonly kind: 'request'
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  /** Client authentication, or the access token. */
  readonly authorization?: 'client' | 'bearer' | 'dpop'
  /** The name of the value that is the access token, where it is another. */
  readonly token?: string
  /** It has a DPoP proof of the key of this flow. */
  readonly proof?: true
  /** A value that is a JWT made for this request alone. */
  readonly signs?: SignedJwt
  readonly body?: readonly Param[]
  /** It needs a certificate in TLS, which no page can show: the person sends it from a terminal, and puts the answer here. */
  readonly certificate?: true
  /** The body is a JSON object. */
  readonly json?: true
  /** Members of the answer that later steps use: name of the value by where it stands. */
  readonly keeps?: Readonly<Record<string, string>>
  /** Headers of the answer that later steps use; after # the parameter of a challenge. */
  readonly keeps_headers?: Readonly<Record<string, string>>
  /** Members of the answer that must be so. */
  readonly checks?: Readonly<Record<string, string | boolean>>
  /** What answers is a refusal, and it must be this one. */
  readonly refused_with?: string
  /** Sent again every few seconds while the answer says so. */
  readonly again_on?: readonly string[]
  /** The same with a library. */
  readonly code?: CodeName
}

/** A value that the app makes. */
export interface Made {
  readonly name: string
  readonly how: 'random' | 'S256' | 'key' | 'thumbprint'
  /** What a hash or a thumbprint is made of. */
  readonly of?: string
  readonly spec: string
  readonly note?: keyof Words['notes']
}

/** A JWT that the app signs; of its claims `now + 60 s` is a time. */
export interface SignedJwt {
  readonly name: string
  /** The name of the value that is the private key. */
  readonly key: string
  readonly claims: readonly Param[]
}

/** What a JWT must say, by the name of the header or claim that says it. */
export interface Check {
  readonly check: string
  /** `equal`: to a value, or with that value in its list; `some`: any. `lately`: minutes ago. `half_hash`: of a value. `signature`: by a key of this server. */
  readonly how: 'equal' | 'some' | 'lately' | 'header' | 'future' | 'half_hash' | 'signature'
  readonly value?: string
  readonly spec: string
  readonly note: keyof Words['notes']
}

/** A parameter with its value, in which `{name}` stands for a value of the flow. */
export interface Param {
  readonly name: string
  readonly value: string
  /** Of a JSON body: the value is written in JSON, and is no text. */
  readonly json?: true
  readonly spec: string
  readonly note?: keyof Words['notes']
}

/** A wrong way, and what answers: the error, or the check that fails. */
export interface Break {
  readonly break: keyof Words['breaks']
  /** Parameters that are sent otherwise; null leaves one out. */
  readonly set?: Readonly<Record<string, string | null>>
  /** Values that are others: of the flow, or of the proof or the signed JWT by the names of its claims. */
  readonly values?: Readonly<Record<string, string>>
  readonly error: string
  /** First it is done as it should be. */
  readonly after?: true
  /** The refusal ends what the flow has got so far. */
  readonly ends?: true
}
