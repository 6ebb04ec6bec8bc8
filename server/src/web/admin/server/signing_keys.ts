import { foreseeKey } from '../../../inbound/keys/foresee_keys.ts'
import { listSigningKeys, revokeSigningKey, rotateSigningKeysNow } from '../../../inbound/keys/signing_keys.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { ours, redirect, send, type Visit } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { renderKeys } from './templates/signing_keys.ts'

const DAY_MS = 86_400_000

/** GET /admin/keys. */
export const keysPage = consolePage((visit) => show(visit))

/** POST /admin/keys/rotate: the next key of an algorithm signs from now on. */
export const rotateKeysSubmit = consoleSubmit((visit, actor, { alg = '' }) =>
  change(visit, () => rotateSigningKeysNow(visit.web.tenant, alg, actor)),
)

/** POST /admin/keys/revoke: whatever a key signed is dead. */
export const revokeKeySubmit = consoleSubmit((visit, actor, { kid = '' }) =>
  change(visit, () => revokeSigningKey(visit.web.tenant, kid, actor)),
)

async function change(visit: Visit, work: () => Promise<void>): Promise<Response> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    return show(visit, error.error_description)
  }
  return redirect(visit, ours(visit.web, paths.admin_keys))
}

async function show(visit: Visit, wrong?: string): Promise<Response> {
  const { tenant } = visit.web
  const { signing_algs, signing_key_days } = visit.configuration.settings
  const keys = await listSigningKeys(tenant)
  const wanted: readonly string[] = signing_algs
  const algs = [...new Set([...wanted, ...keys.map(({ alg }) => alg)])].map((alg) => ({
    alg,
    rotates: wanted.includes(alg),
    keys: keys
      .filter((key) => key.alg === alg)
      .map((key) => ({
        ...{ kid: key.kid, state: key.state, since: key.state_at },
        ...foreseeKey(key, keys, signing_key_days * DAY_MS),
      })),
  }))
  const kid = keys.find(({ state }) => state !== 'revoked')?.kid
  const scripts = {
    rotate: scriptOf(visit, 'rotateSigningKeys', {}, { body: { alg: wanted[0] ?? 'ES256' } }),
    revoke: kid === undefined ? undefined : scriptOf(visit, 'revokeSigningKey', { kid }),
  }
  return send(visit, renderKeys(visit.view, { algs, wrong, scripts }), { status: wrong === undefined ? 200 : 400 })
}
