import type { Hono } from 'hono'
import { type AliasedEndpoint, type EndpointAliases, STANDARD_PATHS } from './endpoint_paths.ts'
import type { MachineEndpoint } from './machine.ts'
import type { PageEnv } from './page.ts'
import type { Web } from './web.ts'

/** Adds the aliases of machines' endpoints to their routes; one that stands where something else does is refused. */
export function addMachineAliases(
  routes: Map<string, MachineEndpoint<Web>>,
  base: string,
  aliases: EndpointAliases,
): Map<string, MachineEndpoint<Web>> {
  for (const [name, paths] of Object.entries(aliases)) {
    const endpoint = routes.get(base + STANDARD_PATHS[name as AliasedEndpoint])
    for (const path of endpoint ? paths : []) {
      if (routes.has(base + path)) throw taken(path)
      routes.set(base + path, endpoint!)
    }
  }
  return routes
}

/** Adds the aliases of pages: every handler of the standard path answers at each of them. */
export function addPageAliases(pages: Hono<PageEnv>, aliases: EndpointAliases): void {
  const standing = [...pages.routes]
  for (const [name, paths] of Object.entries(aliases)) {
    const handlers = standing.filter(({ path }) => path === STANDARD_PATHS[name as AliasedEndpoint])
    for (const path of handlers.length > 0 ? paths : []) {
      if (standing.some((route) => route.path === path)) throw taken(path)
      for (const { method, handler } of handlers) pages.on(method, path, handler as never)
    }
  }
}

function taken(path: string): Error {
  return new Error(`endpoint_aliases: something else stands at ${path}`)
}
