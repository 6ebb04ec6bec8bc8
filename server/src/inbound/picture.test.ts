import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dataUrl, makePng } from '../../../test/parts/pictures.ts'
import { LARGEST_PICTURE } from '../store/settings.ts'
import { type Picture, readPicture, readPictureUrl, writePictureUrl } from './picture.ts'

// Three by two pixels, as Chromium writes them.
const JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI//////////////////////////////////////////////////' +
    '//2wBDAVVaWnhpeOuCguv/////////////////////////////////////////////////////////////////////////wAARCAACAAMDASIAAhEBAxEB' +
    '/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAXEAEAAwAAAAAAAAAAAAAAAAAAAQIy/8QAFQEBAQAAAAAAAAAAAAAAAAAAAAH/xAAWEQEBAQAAAAAAAAAA' +
    'AAAAAAAAAjH/2gAMAwEAAhEDEQA/AJL6kAWtf//Z',
  'base64',
)
const VP8 = Buffer.from('VlA4ICIAAABwAQCdASoDAAIAB0CWJaACdAFAAAD+6Dbu9/Vf4+/bCGAA', 'base64')
const VP8L = Buffer.from('VlA4TBgAAAAvAkAAEA8wUDMzwPMf8FAIIAAKmoj+xwM=', 'base64')

function webp(...chunks: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(body.length)
  return Buffer.concat([Buffer.from('RIFF'), size, body])
}

/** The head of an extended file: flags, and a canvas. */
function vp8x(flags: number, width: number, height: number): Buffer {
  const chunk = Buffer.alloc(18)
  chunk.write('VP8X')
  chunk.writeUInt32LE(10, 4)
  chunk[8] = flags
  chunk.writeUIntLE(width - 1, 12, 3)
  chunk.writeUIntLE(height - 1, 15, 3)
  return chunk
}

const typeOf = (found: Picture | string) => (typeof found === 'string' ? found : found.type)

test('a picture is what its bytes say: PNG, JPEG, or WebP in each of its codings', () => {
  assert.equal(typeOf(readPicture(makePng())), 'image/png')
  assert.equal(typeOf(readPicture(JPEG)), 'image/jpeg')
  for (const bytes of [webp(VP8), webp(VP8L), webp(vp8x(0x10, 3, 2), VP8L)]) {
    assert.equal(typeOf(readPicture(bytes)), 'image/webp')
  }
})

test('5.8 CVE-2024-29891 whatever is no such picture is refused, whatever it is called', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  for (const text of [svg, `<?xml version="1.0"?>\n${svg}`, `\ufeff <!DOCTYPE svg>${svg}`, `<!-- x -->${svg}`]) {
    assert.equal(readPicture(Buffer.from(text)), 'drawn', text)
  }
  for (const text of ['', 'GIF89a', 'BM', '<html>', '%PDF-1.7', 'RIFF\0\0\0\0AVI ', '\x89PNG', '\xff\xd8']) {
    assert.equal(readPicture(Buffer.from(text, 'latin1')), 'unknown', text)
  }
})

test('15.2.2 a picture that is large, wide or moving is refused, however small its file is', () => {
  assert.equal(readPicture(Buffer.concat([makePng(), Buffer.alloc(LARGEST_PICTURE)])), 'large')
  assert.equal(typeOf(readPicture(makePng({ width: 1024, height: 1 }))), 'image/png')
  assert.equal(readPicture(makePng({ width: 1025, height: 1 })), 'wide')
  assert.equal(readPicture(makePng({ width: 1, height: 1025 })), 'wide')
  assert.equal(readPicture(webp(vp8x(0, 16_000, 16_000), VP8L)), 'wide')
  assert.equal(readPicture(webp(vp8x(0x02, 3, 2), VP8L)), 'moving')
  assert.equal(readPicture(makePng({}, { type: 'acTL', data: Buffer.alloc(8) })), 'moving')
  assert.equal(readPicture(makePng({ width: 0, height: 0 })), 'damaged')
})

test('a picture with something behind its end, or without its end, is refused', () => {
  const hidden = Buffer.from('<script>')
  for (const whole of [makePng(), JPEG, webp(VP8), webp(VP8L)]) {
    assert.equal(readPicture(Buffer.concat([whole, hidden])), 'damaged')
    assert.equal(readPicture(whole.subarray(0, -3)), 'damaged')
  }
  assert.equal(readPicture(Buffer.concat([makePng().subarray(0, 8), makePng().subarray(33)])), 'damaged')
  const end = Buffer.from('ffd9', 'hex')
  assert.equal(readPicture(Buffer.concat([JPEG, hidden, end])), 'damaged', 'an end behind the end')
  assert.equal(readPicture(webp(VP8L, hidden)), 'damaged', 'something behind the last chunk, within the length')
})

test('15.2.2 what is measured is what is drawn: one frame, and no pixels beyond their canvas', () => {
  const frame = JPEG.indexOf(Buffer.from('ffc0', 'hex'))
  const another = JPEG.subarray(frame, frame + 2 + JPEG.readUInt16BE(frame + 2))
  assert.equal(readPicture(Buffer.concat([JPEG.subarray(0, frame), another, JPEG.subarray(frame)])), 'damaged')
  const filled = Buffer.concat([JPEG.subarray(0, frame), Buffer.from([0xff, 0xff]), JPEG.subarray(frame)])
  assert.equal(typeOf(readPicture(filled)), 'image/jpeg', 'a marker may have fill bytes before it')
  const wide = Buffer.from(VP8L)
  wide.writeUInt32LE(0x3fff, 9)
  assert.equal(readPicture(webp(vp8x(0, 3, 2), wide)), 'wide')
  assert.equal(readPicture(webp(vp8x(0, 3, 2))), 'damaged', 'a canvas without a picture')
  assert.equal(readPicture(webp(VP8L, VP8L)), 'damaged', 'two pictures')
  const png = makePng()
  assert.equal(readPicture(Buffer.concat([png.subarray(0, 33), png.subarray(-12)])), 'damaged', 'a head without pixels')
  const scan = JPEG.indexOf(Buffer.from('ffda', 'hex'))
  assert.equal(
    readPicture(Buffer.concat([JPEG.subarray(0, scan), JPEG.subarray(-2)])),
    'damaged',
    'a frame without any',
  )
  const frames = Buffer.from('ANMF\0\0\0\0', 'latin1')
  assert.equal(readPicture(webp(vp8x(0, 3, 2), frames, VP8L)), 'moving')
})

test('whatever the bytes are, reading them ends, and what is taken is written as it was read', () => {
  const begun = fc
    .tuple(fc.constantFrom(makePng(), JPEG, webp(VP8), webp(vp8x(0, 3, 2), VP8L)), fc.nat(), fc.uint8Array())
    .map(([whole, at, noise]) => {
      const bytes = Buffer.from(whole)
      bytes.set(noise.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length)
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), begun), (bytes) => {
      const found = readPicture(bytes)
      if (typeof found === 'object') assert.deepEqual(readPictureUrl(writePictureUrl(found)), found)
    }),
    { numRuns: 500 },
  )
})

test('of a data URL type and bytes agree, and it is spelled in one way', () => {
  const png = makePng()
  assert.equal(typeOf(readPictureUrl(dataUrl('image/png', png))), 'image/png')
  assert.equal(readPictureUrl(dataUrl('image/jpeg', png)), 'other')
  assert.equal(readPictureUrl(dataUrl('image/svg+xml', Buffer.from('<svg/>'))), 'unknown')
  assert.equal(readPictureUrl(`${dataUrl('image/png', png)}=`), 'damaged')
  for (const url of ['', 'https://cdn.example/logo.png', '/logo.png', 'javascript:alert(1)']) {
    assert.equal(readPictureUrl(url), 'unknown')
  }
})
