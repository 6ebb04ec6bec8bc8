import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { makeClientKey } from '../inbound/clients/client_keys.ts'
import { readAdministratedClient } from '../inbound/clients/register_client.ts'
import { GRANT_TYPES } from '../inbound/grant_types/index.ts'
import { type Framework, listSnippets } from '../web/admin/clients/client_snippet.ts'
import { CommandError, EXIT } from './exit_codes.ts'

/** What `init` starts with: a client of one kind, and the code of one framework. */
const STARTS = {
  express: { framework: 'Express', file: 'app.mjs', install: 'npm install express openid-client' },
  'openid-client': { framework: 'openid-client', file: 'sign_in.mjs', install: 'npm install openid-client' },
  oauth4webapi: { framework: 'oauth4webapi', file: 'sign_in.mjs', install: 'npm install oauth4webapi' },
  'oidc-client-ts': { framework: 'oidc-client-ts', file: 'sign_in.js', install: 'npm install oidc-client-ts' },
} as const satisfies Record<string, { framework: Framework; file: string; install: string }>

/** `init <framework>`: writes a platform file with a first client, and code that signs people in by it. */
export async function initialize(
  folder: string,
  name: string,
  options: {
    readonly issuer: string
    readonly redirect_uri: string
    readonly client_id: string
    readonly json: boolean
  },
): Promise<number> {
  if (!Object.hasOwn(STARTS, name))
    throw new CommandError(`There is no start for ${name}: ${Object.keys(STARTS).join(', ')}`)
  const { framework, file, install } = STARTS[name as keyof typeof STARTS]
  const { issuer, client_id, redirect_uri } = options
  // In a browser nothing can be kept, and PKCE protects the code.
  const key = framework === 'oidc-client-ts' ? null : await makeClientKey()
  const described = {
    ...{ client_name: client_id, redirect_uris: [redirect_uri], grant_types: ['authorization_code', 'refresh_token'] },
    ...{ scope: 'openid profile email offline_access' },
    ...(key
      ? { token_endpoint_auth_method: 'private_key_jwt', jwks: key.jwks }
      : { token_endpoint_auth_method: 'none' }),
  }
  const grant_types = GRANT_TYPES.map(({ grant_type }) => grant_type)
  const metadata = readAdministratedClient(described, grant_types)
  const snippet = listSnippets(issuer, { ...metadata, client_id }).find((one) => one.framework === framework)!
  const about =
    '# A platform file of Sallyport: `sallyport serve --config` starts with it, `sallyport apply -f` changes a server.\n'
  const files: [string, string, number?][] = [
    ['platform.yaml', `${about}${stringify({ clients: [{ client_id, ...described }] }, { lineWidth: 0 })}`],
    [file, snippet.code],
    ...(key
      ? [['client_key.env', `CLIENT_KEY='${JSON.stringify(key.private_jwk)}'\n`, 0o600] as [string, string, number]]
      : []),
  ]
  // What is there already is somebody's: then nothing is written at all.
  const taken = files.find(([one]) => existsSync(path.join(folder, one)))
  if (taken) throw new CommandError(`${taken[0]} is there already`)
  for (const [one, text, mode] of files) write(path.join(folder, one), text, mode)
  const run = key ? `node --env-file=client_key.env ${file}` : `bundle ${file} into your page`
  const next = ['sallyport serve --config platform.yaml', install, run]
  const written = files.map(([one]) => one)
  if (options.json) process.stdout.write(`${JSON.stringify({ client_id, files: written, next }, null, 2)}\n`)
  else process.stdout.write(`Wrote ${written.join(', ')}. Next:\n${next.map((line) => `  ${line}\n`).join('')}`)
  return EXIT.done
}

function write(file: string, text: string, mode = 0o644): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode })
  } catch (error) {
    throw new CommandError(`${file} cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
}
