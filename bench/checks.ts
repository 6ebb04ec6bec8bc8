/** What is looked at in every answer, by the name of the work. */
export type Check = 'jwt' | 'opaque' | 'active' | 'refreshed' | 'exchanged'

type Body = Readonly<Record<string, unknown>>

/** Each answers the body when it is right, or what is wrong with it (RFC 6749 section 5.1, RFC 7662 section 2.2). */
export const CHECKS: Readonly<Record<Check, (text: string) => Body | string>> = {
  jwt: (text) => read(text, (body) => isBearer(body) && isJwt(body['access_token'])),
  opaque: (text) => read(text, (body) => isBearer(body) && isSecret(body['access_token'])),
  active: (text) => read(text, (body) => body['active'] === true && isScope(body['scope']) && isText(body['sub'])),
  refreshed: (text) => read(text, (body) => isBearer(body) && isSecret(body['refresh_token'])),
  exchanged: (text) =>
    read(text, (body) => isBearer(body) && isSecret(body['refresh_token']) && isJwt(body['id_token'])),
}

/** The scope of the resource servers in this benchmark. */
export const SCOPE = 'api:read'

function read(text: string, isRight: (body: Body) => boolean): Body | string {
  try {
    const body = JSON.parse(text) as Body
    return isRight(body) ? body : 'an answer of the wrong form'
  } catch {
    return 'an answer that is not JSON'
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isJwt = (value: unknown) => isText(value) && value.split('.').length === 3 && value.length > 200
const isSecret = (value: unknown) => isText(value) && value.length >= 43 && !value.includes('.')

function isBearer(body: Body): boolean {
  const { token_type, access_token, expires_in, scope } = body
  return token_type === 'Bearer' && isText(access_token) && typeof expires_in === 'number' && isScope(scope)
}

const isScope = (scope: unknown) => isText(scope) && scope.split(' ').includes(SCOPE)
