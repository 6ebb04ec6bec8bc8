import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

const STRANGERS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed25519: generateKeyPairSync('ed25519'),
}

/**
 * Everything that a JWT can be passed off as by who has not signed it: sixteen algorithms and more, each over the header
 * and the claims of a good one, with the public key that would verify it taken for a secret where one fits.
 */
export function forgeJwts(good: string, key: KeyObject): [what: string, token: string][] {
  const [head, payload, signature] = good.split('.') as [string, string, string]
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
  const jwk = key.export({ format: 'jwk' })
  const secrets: [string, string | Buffer][] = [
    ['PEM', key.export({ format: 'pem', type: 'spki' })],
    ['PEM without its end', key.export({ format: 'pem', type: 'spki' }).toString().trim()],
    ['DER', key.export({ format: 'der', type: 'spki' })],
    ['JWK text', JSON.stringify(jwk)],
    ['JWK text with its kid', JSON.stringify({ ...jwk, kid: header['kid'] })],
    ['JWKS text', JSON.stringify({ keys: [jwk] })],
    ['its x or n', String(jwk.n ?? jwk.x)],
    ['nothing', ''],
  ]
  if (key.asymmetricKeyType === 'rsa') secrets.push(['PKCS#1 PEM', key.export({ format: 'pem', type: 'pkcs1' })])
  const write = (change: object, end: (input: string) => string) => {
    const input = `${Buffer.from(JSON.stringify({ ...header, ...change })).toString('base64url')}.${payload}`
    return `${input}.${end(input)}`
  }
  const by = (of: keyof typeof STRANGERS, hash: string | null) => (input: string) =>
    sign(hash, Buffer.from(input), {
      key: STRANGERS[of].privateKey,
      ...(of.startsWith('p') && { dsaEncoding: 'ieee-p1363' as const }),
    }).toString('base64url')
  const kept = () => signature
  const forged: [string, string][] = []
  for (const alg of ['none', 'None', 'nOnE', 'NONE', '', null]) {
    for (const [what, end] of [
      ['', () => ''],
      [', the signature kept', kept],
    ] as const) {
      forged.push([`alg ${JSON.stringify(alg)}${what}`, write({ alg }, end)])
    }
  }
  for (const [alg, hash] of [
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ] as const) {
    for (const [what, secret] of secrets) {
      const mac = (input: string) => createHmac(hash, secret).update(input).digest('base64url')
      forged.push([`${alg} with the public key as ${what}`, write({ alg }, mac)])
    }
  }
  const swaps = [
    ['RS256', 'rsa', 'sha256'],
    ['RS384', 'rsa', 'sha384'],
    ['PS256', 'rsa', 'sha256'],
    ['PS512', 'rsa', 'sha512'],
    ['ES256', 'p256', 'sha256'],
    ['ES384', 'p384', 'sha384'],
    ['ES256K', 'p256', 'sha256'],
    ['EdDSA', 'ed25519', null],
  ] as const
  for (const [alg, of, hash] of swaps) {
    forged.push([`${alg} by a stranger`, write({ alg }, by(of, hash))])
    if (alg !== header['alg']) forged.push([`${alg}, the signature kept`, write({ alg }, kept)])
  }
  const zeros = Buffer.alloc(Buffer.from(signature, 'base64url').length).toString('base64url')
  forged.push(
    ['b64 false', write({ b64: false, crit: ['b64'] }, kept)],
    ['crit that nobody knows', write({ crit: ['x'], x: 1 }, kept)],
    [
      'a key of its own as jwk',
      write(
        { jwk: STRANGERS.p256.publicKey.export({ format: 'jwk' }), alg: 'ES256', kid: undefined },
        by('p256', 'sha256'),
      ),
    ],
    ['jku', write({ jku: 'http://127.0.0.1:1/jwks' }, kept)],
    ['x5u', write({ x5u: 'http://127.0.0.1:1/cert' }, kept)],
    ['no signature', `${head}.${payload}.`],
    ['no third part', `${head}.${payload}`],
    ['a signature of zeros', `${head}.${payload}.${zeros}`],
    ['a second spelling', `${good}=`],
  )
  return forged
}
