import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { whyNoMappings } from '../../../../oauth/custom_claims.ts'
import { OAuthError } from '../../../../oauth/errors.ts'
import { type ConnectorInput, readConnectorInput } from '../../../../outbound/administration/connector_input.ts'
import { describeProvider } from '../../../../outbound/administration/describe_provider.ts'
import type { OutboundContext } from '../../../../outbound/context.ts'
import { createCatalogue } from '../../../../providers/catalogue.ts'
import { DEFAULT_SETTINGS, readSettings } from '../../../../store/settings.ts'
import { createLanguages } from '../../../ui/text/languages.ts'
import type { View } from '../../../ui/view.ts'
import { refusedConnectorField } from '../../outbound/connector_form.ts'
import { findRefusal, refusalText } from './refusal.ts'

/** Where what is typed into a form of the console is read. */
const READERS = [
  ...['own_metadata', 'client_jwks', 'request_metadata', 'binding_metadata', 'metadata_member', 'client_metadata'],
  ...['authentication_metadata', 'token_metadata'],
]
  .map((file) => `oauth/clients/${file}`)
  .concat(
    ...['broker', 'client_certificate', 'login_handoff', 'profile', 'redirect_uri', 'token_exchange', 'trusted_issuer']
      .concat('custom_claims')
      .map((file) => `oauth/${file}`),
    ...['clients/registration_tokens', 'clients/sector_identifier', 'clients/update_client', 'clients/client_secrets']
      .concat('administration/configure', 'users/prepare_user', 'keys/signing_keys')
      .map((file) => `inbound/${file}`),
    ...['webhooks/webhooks', 'outbound/administration/connector_input', 'outbound/administration/connectors'],
    'outbound/connectors/connector_secret',
    ...['clients/clients', 'forms/typed_form', 'inbound/new_user', 'inbound/resources', 'inbound/roles']
      .concat('inbound/trusted_issuers', 'server/settings', 'server/webhooks')
      .map((file) => `web/admin/${file}`),
  )
/** What the same files say to programs alone: no field of a form leads there. */
const NOT_OF_FORMS = [
  /^must be a JSON object$|^Client metadata must be a JSON object$/,
  /^is being changed by somebody else$|^Webhook \w+ is being changed/,
  /^secret must be whsec_/,
  /^(Connector|The tenant has a connector) /,
  // Where a file puts the name of a member before the rest.
  /^((Member|The webhook's|The connector's|A redirect URI|The message)( 7)* 7|Member jwks 7|it 7)$/,
  // The test of settings of a connector says these whole.
  /^7 (is missing7|does not go with 7|\(7\))$/,
]

/** What a file says after this is about requests of clients and messages of brokers. */
const FORMS_END: Readonly<Record<string, RegExp>> = {
  'oauth/broker': /^\/\*\* Reads the claims of a broker's message/m,
  'oauth/profile': /^\/\*\* Whether answers may go to this address/m,
  'oauth/token_exchange': /^\/\*\* What a request wants exchanged/m,
}

/** Every sentence of a refusal in a file, with something in its holes. */
function listSentences(file: string): string[][] {
  const whole = readFileSync(new URL(`../../../../${file}.ts`, import.meta.url), 'utf8')
  const text = whole.split(FORMS_END[file] ?? '\0', 1)[0]!
  const call =
    /(?:\brefus(?:al|e)\(\s*|new OAuthError\(\s*'\w+',\s*)(?:(?:[a-z_]\w*|'[\w.]+'),\s*)?(?:'((?:[^'\\\n]|\\.)+)'|"([^"\n]+)"|`([^`]+)`)/g
  return [...text.matchAll(call)].map(([, single, double, template]) => {
    const sentence = single?.replaceAll("\\'", "'") ?? double ?? template!
    const pieces = sentence.split(/\$\{(?:[^{}]|\{[^{}]*\})+\}/)
    let samples = [pieces[0]!]
    for (const piece of pieces.slice(1)) {
      samples = samples.flatMap((begun) =>
        ['7', 'one, two', 'x1', 'end those first, or make another connector'].map((filled) => begun + filled + piece),
      )
    }
    return samples
  })
}

const languages = createLanguages()
const viewIn = (tag: string): View => {
  const { dir, text } = languages.find(tag)!
  return { lang: tag, dir, text } as View
}

test('whatever a form of the console can be refused for is told in German and in Arabic', () => {
  let seen = 0
  const untold = READERS.flatMap((file) =>
    listSentences(file).flatMap((samples) => {
      if (NOT_OF_FORMS.some((pattern) => pattern.test(samples[0]!))) return []
      seen++
      const known = samples.find((sample) => findRefusal(sample) !== undefined)
      if (known === undefined) return [`${file}: ${samples[0]}`]
      for (const tag of ['de', 'ar']) {
        assert.doesNotMatch(refusalText(viewIn(tag), known).toString(), /lang="en"|undefined/, `${tag}: ${known}`)
      }
      return []
    }),
  )
  assert.deepEqual(untold, [])
  assert.ok(seen > 120, `${seen} refusals were found in the sources`)
})

test('what is wrong with a setting is told in German and in Arabic', () => {
  const wrong = Object.keys(DEFAULT_SETTINGS).map((name) => {
    try {
      readSettings({ [name]: Symbol('nothing') })
      return ''
    } catch (error) {
      return (error as Error).message.replace(/^settings\./, '')
    }
  })
  const mapping = { claim: 'team', from: 'team', in: ['id_token'] }
  const mappings = [
    {},
    { ...mapping, claim: 'sub' },
    { claim: 'team' },
    { ...mapping, scope: 1 },
    { ...mapping, in: [] },
  ]
  const of_claims = ['x', ...mappings.map((one) => [one])].map((given) => `custom_claims ${whyNoMappings(given)}`)
  for (const sentence of [...wrong, ...of_claims]) assert.ok(findRefusal(sentence), sentence)
})

test('what is wrong with a setting of a connector is told at its field, in German and in Arabic', () => {
  const context = {
    catalogue: createCatalogue(),
    tenant: { issuer: 'https://id.example' },
    egress: { mayUseHttp: () => false },
  }
  const save = (input: ConnectorInput) => readConnectorInput(context as unknown as OutboundContext, input)
  const github = { connector: 'a', provider: 'github', client_id: 'c', client_secret: 's' }
  const apple = { connector: 'a', provider: 'apple', client_id: 'c', private_key: 'x' }
  const wrong: [ConnectorInput, string | undefined][] = [
    [{ ...github, provider: 'shopify', placeholders: { shop: 'a b' } }, 'placeholders.shop'],
    [{ ...github, provider: 'shopify' }, 'placeholders.shop'],
    [{ ...github, fields: { steps: [] } }, 'fields'],
    [{ ...github, fields: { pkce: 'no' } }, 'fields'],
    [{ ...github, provider: 'oidc', issuer: 'javascript:alert(1)' }, 'issuer'],
    [{ ...github, provider: 'oidc', issuer: 'http://10.0.0.1' }, 'issuer'],
    [{ ...github, provider: 'oidc' }, 'issuer'],
    [{ ...github, client_id: '' }, 'client_id'],
    [{ ...github, private_key: 'x' }, 'private_key'],
    [apple, 'team_id'],
    [{ ...github, provider: 'oauth2', fields: { token_endpoint: 'x' } }, 'fields.token_endpoint'],
  ]
  for (const [input, member] of wrong) {
    assert.throws(
      () => save(input),
      (error: OAuthError) => {
        const provider = describeProvider(context.catalogue.get(input.provider)!)
        const plain = new OAuthError('invalid_request', error.error_description.replace("The connector's ", ''), {
          cause: error.cause,
        })
        const told = refusedConnectorField(plain, provider, 'authorization_code')
        assert.equal(told.member, member, error.error_description)
        for (const tag of ['de', 'ar'])
          assert.doesNotMatch(refusalText(viewIn(tag), told.sentence).toString(), /lang="en"/, told.sentence)
        return true
      },
    )
  }
  const of_keys = [
    'private key is a PEM or JWK of P-256, Ed25519 or RSA with 2048 bits or more',
    'key_id has 1 to 256 printable ASCII characters',
  ]
  const of_certificates = ['certificate is no PEM, or one of another private key', 'certificate is not good now']
  const others = [...of_keys.map((one) => `A ${one}`), ...of_certificates.map((one) => `The ${one}`)]
  others.push('client_secret is missing: the present one is for another server', 'key_id does not go with grant_type x')
  for (const sentence of others) assert.ok(findRefusal(sentence), sentence)
})

test('a refusal keeps its numbers and names in every language, and an unknown one stands as the API says it', () => {
  const member = 'access_token.lifetime_seconds'
  const told = (tag: string, sentence: string) => refusalText(viewIn(tag), sentence, member).toString()
  const english = `Member ${member} must be a whole number from 1 to 86400`
  assert.equal(told('en', english), `<bdi>${english}</bdi>`)
  assert.match(
    told('de', english),
    /<code[^>]*>access_token\.lifetime_seconds<\/code>: Muss .* von 1 bis 86\.400 sein\.$/,
  )
  assert.match(told('de', 'Member profile must be one of oauth21, fapi2'), /oauth21<\/code>, <code[^>]*>fapi2</)
  assert.match(told('ar', 'default_scopes: orders:all is not among the scopes'), /<code[^>]*>orders:all<\/code> ليس/)
  assert.match(
    told('de', 'role administrator is built in and keeps admin:read and admin:write'),
    />administrator<\/code> ist/,
  )
  assert.match(told('de', "scopes: 'a b' is not one scope"), />a b<\/code> ist nicht/)
  const hostile = `scopes: '"><script>' has a character that no scope may have`
  assert.match(told('ar', hostile), /&quot;&gt;&lt;script&gt;/)
  assert.equal(
    told('de', 'Nothing knows <this>'),
    '<span lang="en" dir="ltr"><bdi>Nothing knows &lt;this&gt;</bdi></span>',
  )
  assert.equal(findRefusal(`scopes: '${'x'.repeat(5000)}' is not one scope`), undefined)
})
