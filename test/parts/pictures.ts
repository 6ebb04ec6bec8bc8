import { crc32, deflateSync } from 'node:zlib'

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/** A PNG of one colour, or of one for each point, or with further chunks before its pixels. */
export function makePng(
  {
    width = 8,
    height = width,
    rgb = [204, 0, 51],
  }: { width?: number; height?: number; rgb?: readonly number[] | ((x: number, y: number) => readonly number[]) } = {},
  ...further: readonly { readonly type: string; readonly data: Uint8Array }[]
): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const paint = typeof rgb === 'function' ? rgb : () => rgb
  const line = (y: number) => Buffer.from([0, ...Array.from({ length: width }, (_, x) => paint(x, y)).flat()])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, (_, y) => line(y))))
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    ...further.map(({ type, data }) => chunk(type, data)),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Bytes as a data URL. */
export function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`
}
