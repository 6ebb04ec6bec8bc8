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

function readText(header: Buffer, start: number, length: number): string {
  return header.toString('latin1', start, start + length).replace(/\0.*$/s, '')
}

function readOctal(header: Buffer, start: number, length: number): number {
  return Number.parseInt(readText(header, start, length).trim() || '0', 8)
}
