import type { Context } from 'hono'
import type * as z from 'zod'
import type { LivingToken } from '../../inbound/tokens/access_tokens.ts'
import type { PageEnv } from '../page.ts'
import type { Web } from '../web.ts'

/** A scope of the administration API, or of what hangs its routes in it. */
export type ApiScope = string

/** A request of the API whose token is for it and has the scope of the route, before its body is read. */
export interface ApiRequest<Params extends string = string> {
  readonly c: Context<PageEnv>
  readonly web: Web
  /** What stands in the holes of the path, decoded. */
  readonly params: Readonly<Record<Params, string>>
  readonly token: LivingToken
  /** Who is named in the audit log. */
  readonly actor: string
}

/** The same with what was sent and found, all of it checked. */
export interface ApiCall<Params extends string, Query, Body, Found> extends ApiRequest<Params> {
  readonly query: Query
  readonly body: Body
  /** What the path names; a change is to be made only while that still stands (see `stale`). */
  readonly found: Found
}

/** What a route's path names: found once, for all the routes that are about it, with the version that its ETag says. */
export interface Subject<Found> {
  /** As refusals call it: "There is no such client". */
  readonly name: string
  find(request: ApiRequest): Promise<Found | null>
  /**
   * A text that differs whenever something differs that a change could overwrite, and stays when the thing is merely
   * used. It is hashed before it leaves.
   */
  version(found: Found): string
}

/** What a route answers: the value of its schema, and the version of what it shows, which becomes the ETag. */
export interface Reply<Value> {
  readonly value: Value
  readonly version?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type Shape = Readonly<Record<string, z.ZodType>>
type Read<Query extends Shape> = { readonly [Name in keyof Query]: z.output<Query[Name]> }

/** What a route is, as its file writes it. */
export interface RouteSpec<Path extends string, Query extends Shape, Body, Value, Found> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Under `<issuer>/api`, holes in braces. */
  readonly path: Path
  /** What the token must have: this scope, or any one of these. `null` needs no token. */
  readonly scope: ApiScope | readonly ApiScope[] | null
  /** One line for the document and for people. */
  readonly summary: string
  /** The operationId of the document, and the name of the function in the SDK: verb first. */
  readonly name: string
  readonly query?: Query
  readonly body?: z.ZodType<Body>
  /** The answer; without it there is none (204). */
  readonly answer?: z.ZodType<unknown, Value>
  /** Of the answer, where it is not 200 or 204. */
  readonly status?: 201 | 202
  readonly subject?: Subject<Found>
  /** The answer shows a thing that can be changed, with its version as ETag: `run` gives it by `shown`. */
  readonly versioned?: true
  /** Another type of answer than JSON: `run` gives a Response then. */
  readonly media_type?: string
  /** A POST whose answer is not kept for an Idempotency-Key: it does twice what it does once, or must not be kept. */
  readonly repeatable?: true
  run(
    call: ApiCall<Names<Path>, Read<Query>, Body, Found>,
  ): Promise<Reply<Value> | Response | undefined> | Reply<Value> | Response | undefined
}

/** A route of the table; its types were checked where it was written. */
export interface ApiRoute extends Omit<RouteSpec<string, Shape, unknown, unknown, unknown>, 'run' | 'subject'> {
  // biome-ignore lint/suspicious/noExplicitAny: routes of every type stand in one table
  readonly subject?: Subject<any>
  // biome-ignore lint/suspicious/noExplicitAny: routes of every type stand in one table
  run(call: any): Promise<Reply<unknown> | Response | undefined> | Reply<unknown> | Response | undefined
}

/** Writes a route down, with the types of its parts. */
export function route<
  const Path extends string,
  // biome-ignore lint/complexity/noBannedTypes: a route without a query has no names in it
  Query extends Shape = {},
  Body = undefined,
  Value = never,
  Found = undefined,
>(spec: RouteSpec<Path, Query, Body, Value, Found>): ApiRoute {
  return spec as unknown as ApiRoute
}

/** What a subject's routes answer of it. */
export function shown<Found, Value>(subject: Subject<Found>, found: Found, value: Value): Reply<Value> {
  return { value, version: subject.version(found) }
}
