// Sallyport, wired as `serve` wires it: info log to a file, audit sealed, durable. Arguments: port, database, folder.
import path from 'node:path'
import { createLog } from '../server/src/cli/log.ts'
import { openApp } from '../server/src/cli/open_app.ts'
import { readConfig } from '../server/src/config/read_config.ts'
import { newId, randomBytes } from '../server/src/crypto/random.ts'
import { createGrant } from '../server/src/inbound/authorization/grants.ts'
import { readClientRecord } from '../server/src/inbound/clients/client_record.ts'
import { readAdministratedClient, registerClient } from '../server/src/inbound/clients/register_client.ts'
import { event } from '../server/src/inbound/event.ts'
import { startSession } from '../server/src/inbound/sessions/sessions.ts'
import { prepareUser } from '../server/src/inbound/users/prepare_user.ts'
import { listen } from '../server/src/node_server.ts'
import type { AuthorizationRequest } from '../server/src/oauth/authorization_request.ts'
import { startUpkeep } from '../server/src/upkeep.ts'
import { answerParent } from './pinned_process.ts'
import {
  CLIENT_SECRET,
  CODE_CHALLENGE,
  type CodeOrder,
  JWT_RESOURCE,
  OPAQUE_RESOURCE,
  REDIRECT_URI,
  SCOPE,
  USERS,
} from './world.ts'

const [port, database, folder] = process.argv.slice(2) as [string, string, string]
const DATABASE_URL = database === 'sqlite' ? undefined : database
const name = DATABASE_URL === undefined ? 'sqlite' : 'postgres'
const config = readConfig({
  flags: {
    ...{ port, issuer: `http://127.0.0.1:${port}`, data_dir: path.join(folder, name) },
    ...{ log_file: path.join(folder, `${name}.log`), log_level: 'info' },
  },
  env: { DATABASE_URL, SALLYPORT_ROOT_KEY: randomBytes(32).toString('base64') },
  cwd: folder,
})
const log = createLog(config)
const { app, store, close } = await openApp(config, log)
const { tenant } = app
const { tenant_id } = tenant
const upkeep = startUpkeep(app)
// All load comes from one address, and the connections of what was prepared are still open beside it.
const listening = await listen(app, { ...config, connections_of_address: 10_000 })
const session_ids: string[] = []
const REQUEST: AuthorizationRequest = {
  ...{ response_type: 'code', response_mode: 'query', client_id: 'web', redirect_uri: REDIRECT_URI },
  ...{ scope: [], resource: [] },
  ...{ prompt: [], acr_values: [], ui_locales: [], code_challenge: CODE_CHALLENGE, code_challenge_method: 'S256' },
}

answerParent({ fill, codes }, async () => {
  await listening.stop(0)
  await upkeep.stop()
  await close()
})

async function fill(): Promise<void> {
  const settings = JSON.stringify({ code_lifetime_seconds: 600 })
  await store.saveSettings({ tenant_id, settings, event: event(tenant, 'settings.saved', 'cli') })
  for (const [resource, access_token_format] of [
    [JWT_RESOURCE, 'jwt'],
    [OPAQUE_RESOURCE, 'opaque'],
  ] as const) {
    await store.saveResource({
      tenant_id,
      resource: {
        ...{ resource, name: resource, access_token_format },
        ...{ scopes: JSON.stringify({ [SCOPE]: 'Read' }), default_scopes: '[]', access_token_lifetime_seconds: 600 },
        introspection_clients: '["api"]',
      },
      event: event(tenant, 'resource.saved', 'cli'),
    })
  }
  const web = { redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'] }
  await addClient('web', { ...web, scope: `openid offline_access ${SCOPE}` })
  await addClient('machine', { grant_types: ['client_credentials'], redirect_uris: [], scope: SCOPE })
  await addClient('api', { grant_types: ['client_credentials'], redirect_uris: [], scope: SCOPE })
  for (let i = 0; i < USERS; i++) {
    const user = await prepareUser(newId(Date.now()), { username: `user${i}`, name: `User ${i}` })
    await store.createUser({ tenant_id, user, event: event(tenant, 'user.created', 'cli') })
    const { user_id } = user
    await startSession(tenant, { user_id, user_epoch: 0, amr: ['pwd'], former: null, user_agent: null })
    const [session] = await store.listSessionsOfUser({ tenant_id, user_id })
    session_ids.push(session!.session_id)
  }
}

async function addClient(client_id: string, json: Record<string, unknown>): Promise<void> {
  const grant_types = app.web.grant_types.map(({ grant_type }) => grant_type)
  const metadata = readAdministratedClient(json, grant_types)
  await registerClient(tenant, { metadata, source: 'apply', actor: 'cli', client_id, client_secret: CLIENT_SECRET })
}

/** Codes of grants that users have just allowed, made as the consent page makes them. */
async function codes({ count, scope, resource }: CodeOrder): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => approve(session_ids[i % USERS]!, scope, resource)))
}

async function approve(session_id: string, scope: string, resource: string): Promise<string> {
  const authority = (await store.loadBrowserAuthority({ tenant_id, session_id, client_id: 'web' }))!
  const { session, user } = authority
  return createGrant(app.web.inbound, {
    client: readClientRecord(authority.client!),
    request: { ...REQUEST, scope: scope.split(' '), resource: [resource] },
    ...{ authority, signed_in: { session: session!, user: user! }, scope: scope.split(' '), resource: [resource] },
    configuration: await tenant.configuration(authority.tenant.config_version),
    ...{ connections: [], authorization_details: null, remember: false },
  })
}
