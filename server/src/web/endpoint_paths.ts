/** Where the common endpoints stand, under the path of the issuer, by their metadata names (RFC 8414 section 2). */
export const STANDARD_PATHS = {
  authorization_endpoint: '/authorize',
  token_endpoint: '/token',
  jwks_uri: '/jwks',
  userinfo_endpoint: '/userinfo',
  introspection_endpoint: '/introspect',
  revocation_endpoint: '/revoke',
  pushed_authorization_request_endpoint: '/par',
  device_authorization_endpoint: '/device_authorization',
  end_session_endpoint: '/logout',
} as const

/** An endpoint that can stand at other paths too. */
export type AliasedEndpoint = keyof typeof STANDARD_PATHS

/** Further paths of the common endpoints; the first of each is the one that discovery and every link name. */
export type EndpointAliases = Readonly<Partial<Record<AliasedEndpoint, readonly string[]>>>

/** Reads aliases from their text: `name=/path` by commas, a name as often as it has paths. Throws a sentence. */
export function readEndpointAliases(text: string): EndpointAliases {
  const aliases: Partial<Record<AliasedEndpoint, string[]>> = {}
  for (const entry of text.split(',').flatMap((part) => part.trim() || [])) {
    const [name = '', path = '', ...rest] = entry.split('=')
    if (!Object.hasOwn(STANDARD_PATHS, name) || rest.length > 0) {
      throw new Error(`${entry} must be name=/path, the name one of ${Object.keys(STANDARD_PATHS).join(', ')}`)
    }
    if (!/^(\/[A-Za-z0-9][A-Za-z0-9._~-]*)+$/.test(path)) {
      throw new Error(`${entry} must have a path of letters, digits and - . _ ~ after its slashes`)
    }
    if (Object.values(aliases).some((known) => known?.includes(path))) throw new Error(`${path} is named twice`)
    aliases[name as AliasedEndpoint] = [...(aliases[name as AliasedEndpoint] ?? []), path]
  }
  return aliases
}

/** The path of an endpoint as discovery and links name it. */
export function publishedPath(aliases: EndpointAliases, name: AliasedEndpoint): string {
  return aliases[name]?.[0] ?? STANDARD_PATHS[name]
}

/** The URLs of the endpoints that have an alias, under their metadata names. */
export function aliasedUrls(issuer: string, aliases: EndpointAliases): Partial<Record<AliasedEndpoint, string>> {
  const names = Object.keys(aliases) as AliasedEndpoint[]
  return Object.fromEntries(names.map((name) => [name, issuer + publishedPath(aliases, name)]))
}
