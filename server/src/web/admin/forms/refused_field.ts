import type { OAuthError } from '../../../oauth/errors.ts'

/**
 * The field that a refusal is about: its sentence begins with the name, which may be another in the form, or it is about a
 * redirect URI, which its code says.
 */
export function refusedField(
  { error, error_description: sentence }: OAuthError,
  renamed: Readonly<Record<string, string>> = {},
): { readonly member: string | undefined; readonly sentence: string } {
  const of_code = error === 'invalid_redirect_uri' ? 'redirect_uris' : undefined
  const named = /^(?:Member |Parameter |The webhook's )?([a-z][\w.]*)/.exec(sentence)?.[1] ?? of_code
  return { member: named !== undefined && Object.hasOwn(renamed, named) ? renamed[named] : named, sentence }
}
