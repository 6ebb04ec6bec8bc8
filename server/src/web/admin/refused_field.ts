import type { OAuthError } from '../../oauth/errors.ts'

/** The field that a refusal is about: its sentence begins with the name, which may be another in the form. */
export function refusedField(
  { error_description: sentence }: OAuthError,
  renamed: Readonly<Record<string, string>> = {},
): { readonly member: string | undefined; readonly sentence: string } {
  const named = /^(?:Member |Parameter )?([a-z][\w.]*)/.exec(sentence)?.[1]
  return { member: named !== undefined && Object.hasOwn(renamed, named) ? renamed[named] : named, sentence }
}
