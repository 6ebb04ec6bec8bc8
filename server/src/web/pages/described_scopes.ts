import type { Chosen } from '../../inbound/authorization/choices.ts'
import type { OfferedRole } from '../../inbound/authorization/one_role.ts'
import type { Params } from '../../oauth/params.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { View } from '../ui/view.ts'
import type { ConsentScope } from './templates/consent.ts'

const KINDS: readonly (readonly [RegExp, ConsentScope['kind']])[] = [
  [/^offline_access$/, 'away'],
  [/^(openid|profile|email|address|phone)$|[:._-](read|list|view)/, 'read'],
]

/** Scopes in the words of the resources that they are asked at, sorted by what they let a client do (ASVS 10.7.2). */
export function describeScopes(
  view: View,
  issuer: string,
  configuration: Configuration,
  asked: {
    readonly scope: readonly string[]
    readonly resource: readonly string[]
    readonly new_scope: readonly string[]
    readonly optional_scope: readonly string[]
  },
): ConsentScope[] {
  const sentences = new Map<string, string>(Object.entries(view.text.scopes))
  // One name may mean two things at two resources: only those that are asked for have a say.
  const everywhere = asked.resource.includes(issuer)
  for (const { resource, scopes } of configuration.resources.values()) {
    if (!everywhere && !asked.resource.includes(resource)) continue
    for (const [name, sentence] of scopes) sentences.set(name, sentence)
  }
  return asked.scope.map((scope) => ({
    scope,
    description: sentences.get(scope) ?? scope,
    kind: KINDS.find(([pattern]) => pattern.test(scope))?.[1] ?? 'change',
    is_new: asked.new_scope.includes(scope),
    optional: asked.optional_scope.includes(scope),
  }))
}

/** Roles to pick from, each with what it gives in the words of the page. */
export function describeRoles(roles: readonly OfferedRole[] | null, scopes: readonly ConsentScope[]) {
  return roles?.map(({ role, scope: given }) => ({
    role,
    gives: given.map((name) => scopes.find(({ scope }) => scope === name)?.description ?? name),
  }))
}

/** The optional scopes that were ticked, and the end that was chosen, as the pages that ask post them. */
export function readChosen({ values }: Params): Chosen {
  const { expires_in } = values
  const kept_scope = Object.entries(values).flatMap(([name, value]) => (/^scope\.\d+$/.test(name) ? [value] : []))
  return { kept_scope, expires_in: expires_in === undefined ? undefined : Number(expires_in) }
}

/** Resources by what people call them, where that is anything but their own identifier; our own go without saying. */
export function nameResources(issuer: string, { resources }: Configuration, asked: readonly string[]) {
  const others = asked.filter((resource) => resource !== issuer && !resource.startsWith(`${issuer}/proxy/`))
  return others.map((resource) => {
    const name = resources.get(resource)?.name
    return { resource, name: name === resource ? undefined : name }
  })
}
