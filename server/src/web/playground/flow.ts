import type { enPlaygroundFlows } from '../ui/text/en_playground_flows.ts'

/** Names of the sentences about a flow: what they say stands in the catalogue. */
type Words = typeof enPlaygroundFlows

/** A flow as data: the page draws it, the island in the browser runs it, and a test runs all of it and breaks it. */
export interface Flow {
  readonly flow: keyof Words['flows']
  /** Where it is described. */
  readonly spec: string
  /** What the throw-away client is registered with, beside its name and redirect URI. */
  readonly client: Readonly<Record<string, unknown>>
  /** What the person says before it starts. */
  readonly inputs?: readonly ('connector' | 'path')[]
  readonly steps: readonly Step[]
}

/** Who takes part. */
export type Party = 'person' | 'app' | 'server' | 'api' | 'provider'

/** One step: something made by the app itself, a journey of the browser, a request, or something that a person does. */
export type Step = {
  readonly step: string
  readonly says: keyof Words['steps']
  readonly from: Party
  readonly to: Party
  /** Wrong ways to do it, each with the refusal that it must meet. */
  readonly breaks?: readonly Break[]
} & (
  | { readonly kind: 'make'; readonly makes: readonly Made[] }
  | {
      readonly kind: 'browser'
      readonly url: string
      readonly query: readonly Param[]
      /** Parameters of the answer that must be what was sent. */
      readonly checks: Readonly<Record<string, string>>
      readonly keeps: readonly string[]
    }
  | {
      readonly kind: 'request'
      readonly method: 'GET' | 'POST'
      readonly url: string
      /** Client authentication, or the access token. */
      readonly authorization?: 'client' | 'bearer'
      readonly body?: readonly Param[]
      /** Members of the answer that later steps use: name of the value by name of the member. */
      readonly keeps?: Readonly<Record<string, string>>
      /** Members of the answer that must be so. */
      readonly checks?: Readonly<Record<string, string | boolean>>
      /** Sent again every few seconds while the answer says so. */
      readonly again_on?: readonly string[]
    }
  | { readonly kind: 'person'; readonly link: string }
)

/** A value that the app makes. */
export interface Made {
  readonly name: string
  readonly how: 'random' | 'S256'
  /** What a hash is made of. */
  readonly of?: string
  readonly spec: string
  readonly note?: keyof Words['notes']
}

/** A parameter with its value, in which `{name}` stands for a value of the flow. */
export interface Param {
  readonly name: string
  readonly value: string
  readonly spec: string
  readonly note?: keyof Words['notes']
}

/** A wrong way: parameters that are sent otherwise (null leaves one out), and the error that answers. */
export interface Break {
  readonly break: keyof Words['breaks']
  readonly set?: Readonly<Record<string, string | null>>
  readonly error: string
}
