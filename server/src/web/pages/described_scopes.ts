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
  }))
}
