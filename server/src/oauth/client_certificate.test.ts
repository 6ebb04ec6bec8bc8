import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCertificate } from '../../../test/parts/client_certificate.ts'
import { readCertificate } from '../crypto/certificate.ts'
import { readPublicJwk } from '../crypto/public_key.ts'
import {
  bearsExpectedName,
  isByRegisteredKey,
  readCertificateMetadata,
  readForwardedCertificate,
} from './client_certificate.ts'
import { isSameName, readDistinguishedName } from './distinguished_name.ts'
import { OAuthError } from './errors.ts'

const made = makeCertificate({
  subject: [
    [['2.5.4.6', 'DE', 0x13]],
    [['2.5.4.10', 'Müller, Söhne + Co.']],
    [
      ['2.5.4.11', 'Ops'],
      ['2.5.4.3', 'client '],
    ],
  ],
  names: [
    ['dns', 'API.example.com'],
    ['uri', 'spiffe://example.com/app'],
    ['email', 'App@example.com'],
    ['ip', Buffer.from('20010db8000000000000000000000001', 'hex')],
  ],
})
const certificate = readCertificate(made.der)!
const DN = 'OU=Ops+CN=client\\20,O=M\\C3\\BCller\\, Söhne \\+ Co.,C=DE'

test('RFC 8705 2.1.2 a subject is the same name, part by part', () => {
  for (const dn of [DN, 'CN=client\\ +OU=Ops, O=Müller\\, Söhne \\+ Co. , 2.5.4.6=DE', DN.replace('C=', 'c=')]) {
    assert.equal(bearsExpectedName({ tls_client_auth_subject_dn: dn }, certificate), true, dn)
  }
  const others = [
    'C=DE,O=M\\C3\\BCller\\, Söhne \\+ Co.,OU=Ops+CN=client\\20',
    DN.replace('+', ','),
    DN.replace(',C=DE', ''),
    DN.replace('client\\20', 'client'),
    DN.replace('client', 'Client'),
    DN.replace('CN=', 'UID='),
    `${DN},C=DE`,
    'CN=client\\20',
  ]
  for (const dn of others) {
    assert.equal(bearsExpectedName({ tls_client_auth_subject_dn: dn }, certificate), false, dn)
  }
})

test('RFC 8705 2.1.2 an alternative name of its kind must be the expected one', () => {
  const read = (json: Record<string, unknown>) => readCertificateMetadata(json, 'tls_client_auth')
  const good = [
    { tls_client_auth_san_dns: 'api.EXAMPLE.com' },
    { tls_client_auth_san_uri: 'spiffe://example.com/app' },
    { tls_client_auth_san_email: 'App@example.com' },
    { tls_client_auth_san_ip: '2001:DB8:0:0::1' },
  ]
  for (const json of good) assert.equal(bearsExpectedName(read(json), certificate), true, JSON.stringify(json))
  const other = [
    { tls_client_auth_san_dns: 'example.com' },
    { tls_client_auth_san_dns: '*.example.com' },
    { tls_client_auth_san_dns: 'spiffe://example.com/app' },
    { tls_client_auth_san_uri: 'spiffe://example.com/app/' },
    { tls_client_auth_san_uri: 'api.example.com' },
    { tls_client_auth_san_email: 'app@example.com' },
    { tls_client_auth_san_ip: '10.0.0.1' },
  ]
  for (const json of other) assert.equal(bearsExpectedName(read(json), certificate), false, JSON.stringify(json))
  assert.equal(bearsExpectedName({}, certificate), false, 'no name is expected')
})

test('a client of tls_client_auth is registered by exactly one name that can be one', () => {
  const refused = [
    {},
    { tls_client_auth_subject_dn: '' },
    { tls_client_auth_subject_dn: 'CN=a', tls_client_auth_san_dns: 'a.example' },
    { tls_client_auth_subject_dn: 'client' },
    { tls_client_auth_subject_dn: 'CN=' },
    { tls_client_auth_subject_dn: 'CN=a,' },
    { tls_client_auth_subject_dn: 'XX=a' },
    { tls_client_auth_subject_dn: 'CN=a"b' },
    { tls_client_auth_subject_dn: 'CN=a\\' },
    { tls_client_auth_san_ip: 'localhost' },
    { tls_client_auth_san_ip: '127.1.1' + '.example' },
    { tls_client_auth_san_ip: '2130706433' },
    { tls_client_auth_san_ip: '::1]/' },
    { tls_client_auth_san_dns: 7 },
  ]
  for (const json of refused) {
    assert.throws(() => readCertificateMetadata(json, 'tls_client_auth'), OAuthError, JSON.stringify(json))
    readCertificateMetadata(typeof json.tls_client_auth_san_dns === 'number' ? {} : json, 'private_key_jwt')
  }
  const bound = { tls_client_certificate_bound_access_tokens: true }
  assert.deepEqual(readCertificateMetadata({ ...bound, tls_client_auth_san_dns: 'a' }, 'none'), bound)
})

test('a name without an order inside of its parts is the same in any order, and no other', () => {
  const same = (a: string, b: string) => isSameName(readDistinguishedName(a)!, readDistinguishedName(b)!)
  assert.equal(same('CN=a+OU=b,O=c', 'OU=b+CN=a,O=c'), true)
  assert.equal(same('CN=a+OU=b,O=c', 'O=c,OU=b+CN=a'), false)
  assert.equal(same('CN=a,OU=b', 'CN=a+OU=b'), false)
})

test('RFC 8705 2.2.1 a self-signed certificate is by a registered key', () => {
  const jwk = readPublicJwk({ ...made.publicKey.export({ format: 'jwk' }), kid: 'k' })!
  const other = readPublicJwk(makeCertificate().publicKey.export({ format: 'jwk' }))!
  assert.equal(isByRegisteredKey([other, jwk], certificate), true)
  assert.equal(isByRegisteredKey([other], certificate), false)
  assert.equal(isByRegisteredKey([{ ...jwk, use: 'enc' }], certificate), false)
  assert.equal(isByRegisteredKey([], certificate), false)
})

test('RFC 9440 2.2 a proxy passes on one certificate, in the form of its maker', () => {
  const base64 = made.der.toString('base64')
  const forms = {
    'Client-Cert of RFC 9440': `:${base64}:`,
    '$ssl_client_escaped_cert of nginx': encodeURIComponent(made.pem),
    'X-Forwarded-Client-Cert of Envoy': `By=spiffe://a;Hash=${'0'.repeat(64)};Cert="${encodeURIComponent(made.pem)}";Subject="CN=a";URI=`,
    'bare base64': base64,
    'escaped base64': encodeURIComponent(base64),
  }
  for (const [name, header] of Object.entries(forms)) {
    assert.equal(readForwardedCertificate(header)?.thumbprint, certificate.thumbprint, name)
  }
  const escaped = encodeURIComponent(made.pem)
  const wrong = [
    '',
    '(null)',
    ':',
    '::',
    `:${base64}`,
    `:${base64}:, :${base64}:`,
    `${base64}, ${base64}`,
    `${escaped},${escaped}`,
    encodeURIComponent(made.pem + made.pem),
    `Cert="${escaped}",Cert="${escaped}"`,
    `Cert="${escaped}";Cert="${escaped}"`,
    `Hash=00;Subject="Cert=${escaped}"`,
    `Hash=00,Cert="${escaped}"`,
    `:${base64.slice(4)}:`,
    '%zz',
    'x'.repeat(16_385),
  ]
  for (const header of wrong) assert.equal(readForwardedCertificate(header), null, header.slice(0, 60))
})
