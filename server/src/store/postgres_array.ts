/** The types of our columns. */
export type PostgresType = 'text' | 'bigint' | 'bytea'

const OIDS = { text: 25, bigint: 20, bytea: 17 } as const
const HEADER = 20
const TWO_TO_32 = 0x1_0000_0000

/** A one-dimensional array in PostgreSQL's binary format: nothing to escape, and nothing to parse on the other side. */
export function encodeArray(type: PostgresType, values: readonly unknown[]): Buffer {
  let size = HEADER
  for (const value of values) size += 4 + sizeOf(value)
  const array = Buffer.allocUnsafe(size)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4)
  array.writeInt32BE(OIDS[type], 8)
  array.writeInt32BE(values.length, 12)
  array.writeInt32BE(1, 16)
  let at = HEADER
  for (const value of values) at = writeElement(array, at, value)
  return array
}

function sizeOf(value: unknown): number {
  if (value === null) return 0
  if (typeof value === 'number') return 8
  if (typeof value === 'string') return Buffer.byteLength(value)
  return (value as Uint8Array).length
}

function writeElement(array: Buffer, at: number, value: unknown): number {
  if (value === null) return array.writeInt32BE(-1, at)
  if (typeof value === 'number') {
    const high = Math.floor(value / TWO_TO_32)
    array.writeInt32BE(8, at)
    array.writeInt32BE(high, at + 4)
    return array.writeUInt32BE(value - high * TWO_TO_32, at + 8)
  }
  if (typeof value === 'string') {
    const length = array.write(value, at + 4)
    array.writeInt32BE(length, at)
    return at + 4 + length
  }
  const bytes = value as Uint8Array
  array.writeInt32BE(bytes.length, at)
  array.set(bytes, at + 4)
  return at + 4 + bytes.length
}
