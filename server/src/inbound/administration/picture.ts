import { LARGEST_PICTURE } from '../../store/settings.ts'

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
    if (type === 'IEND') return size && end === bytes.length ? size : 'damaged'
    at = end
  }
  return 'damaged'
}

// Frame headers of all codings; C4, C8 and CC in their midst are something else (ITU-T T.81, table B.1).
const FRAME = /^c[0-35-79a-bd-f]$/

/** Walks the segments up to the pixels (ITU-T T.81, annex B). */
function measureJpeg(bytes: Buffer): Size | WhyNoPicture {
  if (!hasAt(bytes, bytes.length - 2, '\xff\xd9')) return 'damaged'
  for (let at = 2; at + 9 <= bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (bytes[at] !== 0xff) return 'damaged'
    if (FRAME.test(bytes[at + 1]!.toString(16))) {
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    }
    if (bytes[at + 1] === 0xda) return 'damaged'
  }
  return 'damaged'
}

/** Reads the head of each of the three codings (RFC 9649 section 2, RFC 6386 section 9.1). */
function measureWebp(bytes: Buffer): Size | WhyNoPicture {
  if (bytes.length < 30 || bytes.readUInt32LE(4) + 8 !== bytes.length) return 'damaged'
  const coding = bytes.toString('latin1', 12, 16)
  if (coding === 'VP8X') {
    if ((bytes[20]! & 0x02) !== 0) return 'moving'
    return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
  }
  if (coding === 'VP8L') {
    if (bytes[20] !== 0x2f) return 'damaged'
    const bits = bytes.readUInt32LE(21)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  if (coding !== 'VP8 ' || !hasAt(bytes, 23, '\x9d\x01\x2a')) return 'damaged'
  return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
}
