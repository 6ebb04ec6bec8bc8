import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from 'uqr'
import { qrCode } from './qr_code.ts'

const URI = 'otpauth://totp/Acme:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme&algorithm=SHA1&digits=6'

/** What a camera sees: the squares that the path paints dark. */
function readSquares(svg: string): boolean[][] {
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)![1])
  const seen = Array.from({ length: size }, () => Array.from({ length: size }, () => false))
  const path = /<path [^>]*d="([^"]*)"\/>/.exec(svg)![1]!
  const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)]
  assert.equal(runs.map(([text]) => text).join(''), path)
  for (const [, x, y, length] of runs) seen[Number(y)]!.fill(true, Number(x), Number(x) + Number(length))
  return seen
}

test('a QR code has the squares of its text, upright, with four light ones around', () => {
  const svg = String(qrCode(URI, 'Setup "key"'))
  const squares = readSquares(svg)
  assert.deepEqual(squares, encode(URI, { boostEcc: true, border: 4 }).data)
  const inner = squares.slice(4, -4).map((row) => row.slice(4, -4))
  assert.equal(inner.flat().filter(Boolean).length, squares.flat().filter(Boolean).length)
  // Three corners have a finder, and a square beside the lower left one is dark in every code.
  const size = inner.length
  const finder = (x: number, y: number) => inner[y]!.slice(x, x + 7).every(Boolean)
  assert.deepEqual([finder(0, 0), finder(size - 7, 0), finder(0, size - 7)], [true, true, true])
  assert.equal(inner[size - 8]![8], true)
  assert.match(svg, /role="img" aria-label="Setup &quot;key&quot;"/)
  assert.match(svg, new RegExp(`<rect width="${squares.length}" height="${squares.length}" rx="2" fill="#fff"`))
})

test('a text that no camera would read is no picture', () => {
  const largest = String(qrCode('x'.repeat(800), 'x'))
  assert.ok(Number(/ width="(\d+)" height="\1" role/.exec(largest)![1]) >= 2 * readSquares(largest).length)
  assert.equal(qrCode('x'.repeat(801), 'x'), '')
})
