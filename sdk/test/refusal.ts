import assert from 'node:assert/strict'
import { OAuthError } from '../src/oauth_error.ts'
import type { Requirements, Resource } from '../src/resource/resource.ts'
import { requestWith } from './issuer.ts'

/** The refusal that a token meets; fails when the token is accepted or something else than a refusal is thrown. */
export async function refusalOf(resource: Resource, token: string | undefined, requirements?: Requirements) {
  try {
    await resource.verify(requestWith(token), requirements)
  } catch (error) {
    assert(error instanceof OAuthError, String(error))
    return error
  }
  assert.fail(`accepted: ${token?.slice(0, 200)}`)
}
