import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { STANDARD_PATHS } from '../endpoint_paths.ts'
import { writeCode } from './code.ts'
import type { Flow, Step } from './flow.ts'
import { FLOWS, findFlow } from './flows/index.ts'
import { keptBy, neededBy, usedBy } from './values.ts'

/** What a flow knows before its first step: of this server, of its client, and what its person typed. */
const knownOf = ({ key, inputs = [] }: Flow) => [
  ...Object.keys(STANDARD_PATHS),
  ...[
    'issuer',
    'origin',
    'redirect_uri',
    'registration_endpoint',
    'metadata_url',
    ...['mtls_token_endpoint', 'mtls_userinfo_endpoint', 'make_certificate'],
    'client_id',
    'client_secret',
    'scope',
  ],
  ...(key ? [key.name] : []),
  ...(key?.of === 'issuer' ? ['trusted_issuer'] : []),
  ...inputs,
]
const HOLE = /\{(\w+)\}/g
const holesOf = (text: string) => [...text.matchAll(HOLE)].map(([, name]) => name!)
const codeOf = (step: Step, issuer: string) =>
  step.kind === 'request' && step.code ? writeCode(step.code, issuer) : ''

test('each step uses what is known, or what a step before it has brought', () => {
  for (const flow of FLOWS) {
    const known = new Set(knownOf(flow))
    for (const step of flow.steps) {
      if (step.kind === 'make') for (const { name } of step.makes) known.add(name)
      const nonce_of_before = flow.steps.some(({ step }) => step === 'nonce') ? ['dpop_nonce'] : []
      const used = [...usedBy(step), ...holesOf(codeOf(step, 'https://auth.example'))]
      for (const name of used) {
        if (!nonce_of_before.includes(name)) assert.ok(known.has(name), `${flow.flow} ${step.step} ${name}`)
      }
      for (const name of keptBy(step)) known.add(name)
    }
    const names = flow.steps.map(({ step }) => step)
    assert.deepEqual([...new Set(names)], names, `${flow.flow} has two steps of one name`)
  }
})

test('a step names the steps before it that bring what it uses', () => {
  const named = (flow: string, step: string) => {
    const found = findFlow(flow)!
    return neededBy(found, found.steps.find((one) => one.step === step)!)
  }
  assert.deepEqual(named('authorization_code', 'secrets'), {})
  assert.deepEqual(named('authorization_code', 'token'), { code: 2, code_verifier: 1 })
  assert.deepEqual(named('device_code', 'token'), { device_code: 1, interval: 1 })
  assert.deepEqual(named('dpop', 'nonce'), { dpop_key: 2, code: 3, code_verifier: 1 }, 'its own nonce is no need')
})

test('a broken step sends something else, and what it sends is known', () => {
  for (const flow of FLOWS) {
    const made = new Set([...knownOf(flow), ...flow.steps.flatMap(keptBy), 'random', 'forged', 'other_key', 'last_jti'])
    for (const step of flow.steps) {
      for (const { set, values, after, ...broken } of step.breaks ?? []) {
        assert.ok(set ?? values ?? after, `${flow.flow} ${step.step} ${broken.break} is not broken`)
        for (const text of Object.values({ ...set, ...values })) {
          for (const name of holesOf(text ?? '')) assert.ok(made.has(name), `${flow.flow} ${broken.break} ${name}`)
        }
      }
    }
  }
})

test('the code of a step is a program, with TLS and without', () => {
  for (const issuer of ['https://auth.example', 'http://127.0.0.1:3000']) {
    for (const step of FLOWS.flatMap(({ steps }) => steps)) {
      const code = codeOf(step, issuer)
      assert.doesNotThrow(() => stripTypeScriptTypes(code.replaceAll(HOLE, '"x"')), code)
      assert.doesNotMatch(code, /OPTIONS/)
      assert.equal(code.includes('allowInsecureRequests'), issuer.startsWith('http:') && code.includes('oauth4webapi'))
    }
  }
})

test('a line for a shell hands each value to curl as it is, whatever it holds, and the address as the page asks for it', async () => {
  // The browser's own file: what TypeScript knows of it is nothing.
  const { writeCurl, fillCode } = await import(new URL('../ui/playground_http.js', import.meta.url).href)
  const evil = `'; echo broken >&2 #"$(echo out)\`id\`\\\n\u{1f980} -o /tmp/x`
  const asked = {
    ...{ method: 'POST', url: `https://as.example/proxy/acme/a b/[1-9]/{x,y}?q='$(id)` },
    ...{ headers: { Authorization: `Bearer ${evil}` }, body: new URLSearchParams({ code: evil }) },
  }
  const run = (line: string) =>
    execFileSync('bash', ['-c', `curl() { printf '%s\\0' "$@"; }\n${line}`], { encoding: 'utf8' }).split('\0')
  assert.deepEqual(run(writeCurl(asked)), [
    ...['https://as.example/proxy/acme/a%20b/[1-9]/%7Bx,y%7D?q=%27$(id)', '--globoff'],
    ...['-H', `Authorization: Bearer ${evil}`, '--data-urlencode', `code=${evil}`, ''],
  ])
  const json = { ...asked, url: 'https://as.example/token', headers: {}, body: JSON.stringify({ evil }) }
  assert.deepEqual(run(writeCurl(json)), ['https://as.example/token', '--data-raw', json.body, ''])
  assert.equal(new Function(`return ${fillCode('{evil}', { evil })}`)(), evil)
})

test('a token that only looks like a JWT is not opened, and fails no step', async () => {
  const { isJwt } = await import(new URL('../ui/playground_keys.js', import.meta.url).href)
  const part = (text: string) => Buffer.from(text).toString('base64url')
  const jwt = `${part('{"alg":"ES256"}')}.${part('{"sub":"a"}')}.c2ln`
  const wrong = [`${part('{"a')}.${part('{"b')}.c2ln`, 'eyJh.eyJh.', 'eyJhb.eyJhb.c2ln', 'opaque', '']
  assert.deepEqual([isJwt(jwt), ...wrong.map(isJwt)], [true, false, false, false, false, false])
})
