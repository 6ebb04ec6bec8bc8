import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { makeCertificate } from '../../../test/parts/client_certificate.ts'
import { isIssuedBy, readAuthorities, readCertificate } from './certificate.ts'
import { readPublicJwk, thumbprint } from './public_key.ts'

const now = Date.now()

test('RFC 8705 3.1 a certificate has the SHA-256 of its DER as thumbprint, and the thumbprint of its key', () => {
  for (const type of ['ec', 'rsa'] as const) {
    const made = makeCertificate({ type })
    const read = readCertificate(made.der)!
    assert.equal(read.thumbprint, createHash('sha256').update(made.der).digest('base64url'))
    assert.equal(read.key_thumbprint, thumbprint(readPublicJwk(made.publicKey.export({ format: 'jwk' }))!))
  }
})

test('names are read as they stand, whatever a text made of them could be taken for', () => {
  const subject = [
    [['2.5.4.6', 'DE', 0x13]],
    [['2.5.4.10', 'Müller, Söhne + Co.\nCN=admin']],
    [
      ['0.9.2342.19200300.100.1.25', 'example', 0x16],
      ['2.5.4.3', 'a'],
    ],
    [['1.3.6.1.4.1.99999.7', Buffer.from('00e4', 'hex'), 0x1e]],
    [['2.5.4.3', 'client']],
  ] as const
  const names = [
    ['dns', 'API.example.com'],
    ['dns', 'a.example, DNS:admin.example'],
    ['uri', 'spiffe://example.com/app'],
    ['email', 'App@example.com'],
    ['ip', Buffer.from([10, 0, 0, 1])],
    ['ip', Buffer.from('20010db8000000000000000000000001', 'hex')],
  ] as const
  const read = readCertificate(makeCertificate({ subject: subject as never, names }).der)!
  assert.deepEqual(read.subject, [
    [['2.5.4.3', 'client']],
    [['1.3.6.1.4.1.99999.7', 'ä']],
    [
      ['0.9.2342.19200300.100.1.25', 'example'],
      ['2.5.4.3', 'a'],
    ],
    [['2.5.4.10', 'Müller, Söhne + Co.\nCN=admin']],
    [['2.5.4.6', 'DE']],
  ])
  assert.deepEqual(read.alternative_names, {
    dns: ['api.example.com', 'a.example, dns:admin.example'],
    uri: ['spiffe://example.com/app'],
    ip: ['10.0.0.1', '2001:db8::1'],
    email: ['App@example.com'],
  })
})

test('what is no certificate, or more than one, is none', () => {
  const { der } = makeCertificate()
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('x'),
    der.subarray(1),
    der.subarray(0, -1),
    Buffer.concat([der, der]),
  ]) {
    assert.equal(readCertificate(bytes), null)
  }
  for (let at = 0; at < der.length; at += 3) {
    const flipped = Buffer.from(der)
    flipped[at]! ^= 0x55
    readCertificate(flipped)
  }
})

test('12.3.2 a certificate is good when a known authority has issued it, for clients, and now', () => {
  const authority = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true })
  const impostor = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true })
  const no_authority = makeCertificate({ subject: [[['2.5.4.3', 'authority']]] })
  const over = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true, to: now - 1000 })
  const known = readAuthorities(`text before\n${authority.pem}\n${makeCertificate({ authority: true }).pem}`)
  assert.equal(known.length, 2)
  const good = (options: Parameters<typeof makeCertificate>[0], by = known) =>
    isIssuedBy(readCertificate(makeCertificate(options).der)!, by, now)
  assert.equal(good({ issuer: authority }), true)
  assert.equal(good({ issuer: authority, type: 'rsa' }), true)
  assert.equal(good({ issuer: authority, uses: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] }), true)
  assert.equal(good({ issuer: authority, uses: ['2.5.29.37.0'] }), true)
  assert.equal(good({ issuer: authority, uses: ['1.3.6.1.5.5.7.3.1'] }), false, 'for servers')
  assert.equal(good({ issuer: impostor }), false, 'the name of the authority, the key of another')
  assert.equal(good({}), false, 'self-signed')
  assert.equal(good({ subject: [[['2.5.4.3', 'authority']]] }), false, 'self-signed in the name of the authority')
  assert.equal(good({ issuer: authority, to: now - 1000 }), false, 'over')
  assert.equal(good({ issuer: authority, from: now + 60_000 }), false, 'not yet')
  assert.equal(good({ issuer: no_authority }, readAuthorities(no_authority.pem)), false, 'by whoever is no authority')
  assert.equal(good({ issuer: over }, readAuthorities(over.pem)), false, 'by an authority that is over')
  assert.equal(good({ issuer: authority }, []), false, 'nobody is known')
  assert.throws(
    () => readAuthorities('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
    /certificate|asn1|wrong tag|too long|PEM/i,
  )
  assert.deepEqual(readAuthorities('nothing'), [])
})
