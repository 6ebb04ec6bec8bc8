import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Makes a file, or the names in a folder, outlast a power cut. Windows cannot open folders and needs no such step. */
export function syncPath(place: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(place, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
