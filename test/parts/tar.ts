/** One regular file of a tar archive. */
export interface TarEntry {
  readonly name: string
  readonly mode: number
  readonly data: Buffer
}

const BLOCK = 512

/** Reads the regular files of an uncompressed tar archive (POSIX ustar); other kinds of entry but folders are refused. */
export function readTar(archive: Buffer): TarEntry[] {
  const entries: TarEntry[] = []
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK)
    const name = readText(header, 0, 100)
    if (name === '') break
    const size = readOctal(header, 124, 12)
    const type = readText(header, 156, 1)
    const prefix = readText(header, 257, 5) === 'ustar' ? readText(header, 345, 155) : ''
    const whole = prefix === '' ? name : `${prefix}/${name}`
    if (whole.startsWith('/') || whole.split('/').includes('..')) throw new Error(`Tar entry ${whole} leads outside.`)
    if (type === '' || type === '0') {
      entries.push({
        name: whole,
        mode: readOctal(header, 100, 8) & 0o777,
        data: archive.subarray(at + BLOCK, at + BLOCK + size),
      })
    } else if (type !== '5') throw new Error(`Tar entry ${whole} is of type ${type}, which is not expected here.`)
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return entries
}

/** Writes regular files as an uncompressed tar archive (POSIX ustar). */
export function writeTar(entries: Iterable<TarEntry>): Buffer {
  const blocks: Buffer[] = []
  for (const { name, mode, data } of entries) {
    const header = Buffer.alloc(BLOCK)
    const cut = name.length <= 100 ? 0 : name.indexOf('/', name.length - 101) + 1
    if (Buffer.byteLength(name.slice(cut)) > 100 || cut > 156) throw new Error(`Tar entry ${name} has too long a name.`)
    header.write(name.slice(cut), 0)
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
    header.write('0000000\x000000000\0', 108)
    header.write(`${data.length.toString(8).padStart(11, '0')}\x00${'0'.repeat(11)}\0`, 124)
    // The checksum counts its own field as spaces.
    header.write(' '.repeat(8), 148)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    header.write(name.slice(0, Math.max(0, cut - 1)), 345)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    blocks.push(header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK))
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function readText(header: Buffer, start: number, length: number): string {
  return header.toString('latin1', start, start + length).replace(/\0.*$/s, '')
}

function readOctal(header: Buffer, start: number, length: number): number {
  return Number.parseInt(readText(header, start, length).trim() || '0', 8)
}
