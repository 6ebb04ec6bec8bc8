import { OAuthError } from '../../../oauth/errors.ts'
import { type ApplicationType, validateRedirectUri } from '../../../oauth/redirect_uri.ts'
import type { LintedRedirect, RedirectWarning } from './templates/redirect_lint.ts'

/** What is wrong with each redirect URI, and what of those that may be registered is better done in another way. */
export function lintRedirects(uris: readonly string[], application_type: ApplicationType): LintedRedirect[] {
  return uris.map((uri) => {
    try {
      const kind = validateRedirectUri(uri, { application_type, web_loopback: true })
      return { uri, warnings: kind === 'https' ? warnOfHttps(new URL(uri)) : warnOfOthers(kind, application_type) }
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      return { uri, refused: error.error_description, warnings: [] }
    }
  })
}

function warnOfHttps(url: URL): RedirectWarning[] {
  const is_address = /^[\d.]+$|^\[/.test(url.hostname)
  return [...(url.pathname === '/' ? (['start_page'] as const) : []), ...(is_address ? (['ip_host'] as const) : [])]
}

// RFC 8252 sections 7.1, 7.3 and 8.3.
function warnOfOthers(kind: 'loopback' | 'localhost' | 'private_use', of: ApplicationType): RedirectWarning[] {
  if (kind === 'private_use') return ['private_use']
  return [
    ...(kind === 'localhost' ? (['localhost'] as const) : []),
    ...(of === 'web' ? (['this_machine'] as const) : []),
  ]
}
