import { sha256 } from '../crypto/hash.ts'
import { LARGEST_PICTURE } from '../store/settings.ts'

/** A picture that pages may show: made of pixels, still, and small. */
export interface Picture {
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp'
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Why something is no such picture. */
export type WhyNoPicture = keyof typeof SENTENCES

// However small a file is, its pixels take four bytes each in the browser of whoever signs in.
const MOST_PIXELS = 1024

const SENTENCES = {
  large: `is larger than ${LARGEST_PICTURE} bytes`,
  wide: `is wider or higher than ${MOST_PIXELS} pixels`,
  moving: 'moves: take a picture that stands still',
  drawn: 'is a drawing (SVG), which can hold scripts: save it as PNG or WebP',
  unknown: 'is no PNG, JPEG or WebP picture',
  other: 'is another kind of picture than its data URL says',
  damaged: 'is damaged, cut off, or has something behind its end',
} as const

/** The sentence of a refusal; the name of what was refused stands before it. */
export function sayWhyNoPicture(why: WhyNoPicture): string {
  return SENTENCES[why]
}

/** Reads a picture by what its bytes say, whatever it was called. */
export function readPicture(given: Uint8Array): Picture | WhyNoPicture {
  if (given.length > LARGEST_PICTURE) return 'large'
  const bytes = Buffer.from(given)
  const format = FORMATS.find(({ begins }) => begins(bytes))
  if (!format) return /^[\0\s\ufeff]*<(?:\?xml|!|svg)/i.test(bytes.toString('utf8', 0, 200)) ? 'drawn' : 'unknown'
  const size = format.measure(bytes)
  if (typeof size === 'string') return size
  if (size.width < 1 || size.height < 1) return 'damaged'
  if (size.width > MOST_PIXELS || size.height > MOST_PIXELS) return 'wide'
  return { type: format.type, bytes }
}

/** Reads a data URL such as the setting `brand_logo` holds. */
export function readPictureUrl(url: string): Picture | WhyNoPicture {
  const [, type, text] = /^data:(image\/[a-z]+);base64,(.*)$/.exec(url) ?? []
  if (type === undefined || text === undefined) return 'unknown'
  const bytes = Buffer.from(text, 'base64')
  // Of two spellings of the same bytes one is refused: what stands is what was meant.
  if (bytes.toString('base64') !== text) return 'damaged'
  const picture = readPicture(bytes)
  return typeof picture === 'object' && picture.type !== type ? 'other' : picture
}

/** What a picture is called where it is served: another picture has another name. */
export function nameOfPicture({ type, bytes }: Picture): string {
  return `${sha256(bytes).toString('hex').slice(0, 24)}.${type.slice('image/'.length)}`
}

/** A picture as a data URL. */
export function writePictureUrl({ type, bytes }: Picture): string {
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`
}

interface Size {
  readonly width: number
  readonly height: number
}

interface Format {
  readonly type: Picture['type']
  begins(bytes: Buffer): boolean
  measure(bytes: Buffer): Size | WhyNoPicture
}

const hasAt = (bytes: Buffer, at: number, text: string) => bytes.toString('latin1', at, at + text.length) === text

const FORMATS: readonly Format[] = [
  { type: 'image/png', begins: (bytes) => hasAt(bytes, 0, '\x89PNG\r\n\x1a\n'), measure: measurePng },
  { type: 'image/jpeg', begins: (bytes) => hasAt(bytes, 0, '\xff\xd8\xff'), measure: measureJpeg },
  {
    type: 'image/webp',
    begins: (bytes) => hasAt(bytes, 0, 'RIFF') && hasAt(bytes, 8, 'WEBP'),
    measure: measureWebp,
  },
]

/** Walks the chunks from the signature to the last byte (PNG, W3C, section 5). */
function measurePng(bytes: Buffer): Size | WhyNoPicture {
  let size: Size | undefined
  let pixels = false
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const end = at + 12 + length
    if (end > bytes.length || (size === undefined) !== (type === 'IHDR')) return 'damaged'
    if (type === 'acTL') return 'moving'
    if (type === 'IHDR') {
      if (length !== 13) return 'damaged'
      size = { width: bytes.readUInt32BE(at + 8), height: bytes.readUInt32BE(at + 12) }
    }
    if (type === 'IDAT') pixels = true
    if (type === 'IEND') return size && pixels && end === bytes.length ? size : 'damaged'
    at = end
  }
  return 'damaged'
}

// Frame headers of all codings; C4, C8 and CC in their midst are something else (ITU-T T.81, table B.1).
const FRAME = /^c[0-35-79a-bd-f]$/

/** Walks the segments, and the pixels between them, to the last byte (ITU-T T.81, annex B). */
function measureJpeg(bytes: Buffer): Size | WhyNoPicture {
  let size: Size | undefined
  let pixels = false
  for (let at = 2; at + 2 <= bytes.length; ) {
    const marker = bytes[at + 1]!
    if (bytes[at] !== 0xff) return 'damaged'
    if (marker === 0xff) {
      // Any marker may have more of them before it.
      at++
      continue
    }
    if (marker === 0xd9) return size && pixels && at + 2 === bytes.length ? size : 'damaged'
    if (at + 9 > bytes.length) return 'damaged'
    if (FRAME.test(marker.toString(16))) {
      if (size) return 'damaged'
      size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    }
    at += 2 + bytes.readUInt16BE(at + 2)
    if (marker === 0xda) {
      if (!size) return 'damaged'
      pixels = true
      at = endOfScan(bytes, at)
    }
  }
  return 'damaged'
}

/** Where pixels end: at the next marker, which is neither a byte of them nor one of those that restart within them. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]!
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at
  }
  return bytes.length
}

/** Walks the chunks to the last byte: the canvas and the pixels on it are both measured (RFC 9649 section 2). */
function measureWebp(bytes: Buffer): Size | WhyNoPicture {
  if (bytes.length < 30 || bytes.readUInt32LE(4) + 8 !== bytes.length) return 'damaged'
  const sizes: Size[] = []
  let pixels = 0
  for (let at = 12; at < bytes.length; ) {
    if (at + 8 > bytes.length) return 'damaged'
    const coding = bytes.toString('latin1', at, at + 4)
    const length = bytes.readUInt32LE(at + 4)
    const data = bytes.subarray(at + 8, at + 8 + length)
    at += 8 + length + (length % 2)
    if (at > bytes.length) return 'damaged'
    if (coding === 'ANIM' || coding === 'ANMF') return 'moving'
    const size = CODINGS[coding]?.(data)
    if (typeof size === 'string') return size
    if (size) sizes.push(size)
    if (size && coding !== 'VP8X') pixels++
  }
  if (pixels !== 1) return 'damaged'
  return {
    width: Math.max(...sizes.map(({ width }) => width)),
    height: Math.max(...sizes.map(({ height }) => height)),
  }
}

/** The heads of a canvas and of both codings of pixels (RFC 9649 sections 2.7 and 3.4, RFC 6386 section 9.1). */
const CODINGS: Readonly<Record<string, (data: Buffer) => Size | WhyNoPicture>> = {
  VP8X(data) {
    if (data.length < 10) return 'damaged'
    if ((data[0]! & 0x02) !== 0) return 'moving'
    return { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 }
  },
  VP8L(data) {
    if (data.length < 5 || data[0] !== 0x2f) return 'damaged'
    const bits = data.readUInt32LE(1)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  },
  'VP8 '(data) {
    if (data.length < 10 || !hasAt(data, 3, '\x9d\x01\x2a')) return 'damaged'
    return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff }
  },
}
