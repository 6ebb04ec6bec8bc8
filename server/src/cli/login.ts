import { setTimeout as sleep } from 'node:timers/promises'
import { COMMAND_LINE_CLIENT, COMMAND_LINE_SCOPE } from '../inbound/clients/command_line_client.ts'
import { adminSocketPath, findAdministration } from './admin_socket.ts'
import type { ServerOfCommand } from './command_config.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { type KeptLogin, keepLogin, readLogins } from './kept_logins.ts'
import { describeRefusal, type Json, postForm, type RemoteServer, reachServer } from './remote_server.ts'
import { printable } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

/** `login`: signs a person in by the device flow (RFC 8628), and keeps the tokens where only they can read them. */
export async function login(place: ServerOfCommand, env: Env, options: { json: boolean }): Promise<number> {
  const { issuer } = place
  await allowHere(place)
  const server = reachServer(issuer)
  try {
    const client_id = COMMAND_LINE_CLIENT
    const tokens = await runDeviceFlow(server, {
      form: { client_id, scope: COMMAND_LINE_SCOPE, resource: `${issuer}/api` },
      unknown: `${issuer} has no client ${client_id}: run \`sallyport login\` once on its own machine, which makes it`,
    })
    const login = readTokens(tokens, client_id)
    keepLogin(env, issuer, login)
    const until = new Date(login.expires_at).toISOString()
    const said = {
      issuer,
      client_id,
      scope: tokens['scope'],
      expires: until,
      renewed: login.refresh_token !== undefined,
    }
    process.stdout.write(options.json ? `${JSON.stringify(said, null, 2)}\n` : `Signed in at ${issuer}\n`)
    return EXIT.done
  } finally {
    await server.close()
  }
}

/** `logout`: ends the sign-in at the server, and forgets it here either way. */
export async function logout({ issuer }: ServerOfCommand, env: Env, options: { json: boolean }): Promise<number> {
  const kept = readLogins(env).logins[issuer]
  if (!kept) throw new CommandError(`Nobody is signed in at ${issuer}`, EXIT.not_allowed)
  keepLogin(env, issuer, null)
  const server = reachServer(issuer)
  try {
    const { client_id, refresh_token, access_token } = kept
    const { status } = await postForm(server, 'revocation_endpoint', {
      client_id,
      token: refresh_token ?? access_token,
    })
    if (status !== 200) throw new CommandError(`Forgotten here, but ${issuer} answered ${status}`)
  } finally {
    await server.close()
  }
  process.stdout.write(options.json ? `${JSON.stringify({ issuer, signed_in: false }, null, 2)}\n` : 'Signed out\n')
  return EXIT.done
}

// Whoever may command the server of this machine may also let people sign in there by this program.
async function allowHere({ issuer, data_dir }: ServerOfCommand): Promise<void> {
  const running = await findAdministration(adminSocketPath({ data_dir }))
  if (running && (await running.examine()).issuer === issuer) await running.allowCommandLine()
}

/** Shows where to go with which code, waits until somebody has, and answers the token response. */
export async function runDeviceFlow(
  server: RemoteServer,
  flow: {
    readonly form: Readonly<Record<string, string>>
    readonly headers?: Readonly<Record<string, string>>
    /** What is said where the client is not known. */
    readonly unknown?: string
  },
): Promise<Json> {
  const started = await postForm(server, 'device_authorization_endpoint', flow.form, flow.headers)
  const { device_code, user_code, verification_uri, verification_uri_complete, interval, expires_in } = started.json
  if (typeof device_code !== 'string' || typeof user_code !== 'string') {
    const unknown = started.json['error'] === 'invalid_client' ? flow.unknown : undefined
    throw new CommandError(unknown ?? describeRefusal(started.json, started.status), EXIT.not_allowed)
  }
  const shown = String(verification_uri_complete ?? verification_uri)
  process.stderr.write(`Open  ${printable(shown)}\nCode  ${printable(user_code)}\n`)
  const { resource: _, scope: _scope, ...client } = flow.form
  const ends = Date.now() + (typeof expires_in === 'number' ? expires_in : 600) * 1000
  for (let wait = typeof interval === 'number' ? interval : 5; Date.now() < ends; ) {
    await sleep(wait * 1000)
    const form = { ...client, grant_type: DEVICE_CODE, device_code }
    const { status, json } = await postForm(server, 'token_endpoint', form, flow.headers)
    if (status === 200) return json
    // RFC 8628 section 3.5.
    if (json['error'] === 'slow_down') wait += 5
    else if (json['error'] !== 'authorization_pending') {
      throw new CommandError(describeRefusal(json, status), EXIT.not_allowed)
    }
  }
  throw new CommandError('Nobody has answered; run the command again', EXIT.not_allowed)
}

/** A living access token of whoever is signed in, renewed where it is nearly over, or where the server has refused it. */
export async function livingToken(server: RemoteServer, env: Env, refused = false): Promise<string> {
  const { issuer } = server
  const kept = readLogins(env).logins[issuer]
  if (!kept) throw notSignedIn(issuer)
  if (!refused && kept.expires_at - RENEWED_BEFORE_MS > Date.now()) return kept.access_token
  const { client_id, refresh_token } = kept
  if (refresh_token === undefined) throw notSignedIn(issuer)
  const form = { grant_type: 'refresh_token', client_id, refresh_token }
  const { status, json } = await postForm(server, 'token_endpoint', form)
  // Another command may have renewed it in the same moment: the server answers both alike.
  if (status === 200) {
    const login = readTokens(json, client_id)
    keepLogin(env, issuer, { ...login, refresh_token: login.refresh_token ?? refresh_token })
    return login.access_token
  }
  if (json['error'] === 'invalid_grant' || json['error'] === 'invalid_client') throw notSignedIn(issuer)
  throw new CommandError(describeRefusal(json, status))
}

const RENEWED_BEFORE_MS = 30_000

function readTokens(json: Json, client_id: string): KeptLogin {
  const { access_token, refresh_token, expires_in } = json
  if (typeof access_token !== 'string') throw new CommandError('The server answered without an access token')
  return {
    client_id,
    access_token,
    expires_at: Date.now() + (typeof expires_in === 'number' ? expires_in : 60) * 1000,
    refresh_token: typeof refresh_token === 'string' ? refresh_token : undefined,
  }
}

function notSignedIn(issuer: string): CommandError {
  return new CommandError(`Nobody is signed in at ${issuer}: \`sallyport login --issuer ${issuer}\``, EXIT.not_allowed)
}
