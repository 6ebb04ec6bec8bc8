import { randomBytes } from 'node:crypto'
import { lstat, mkdir, rename, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

/**
 * The folder `name` under the system's temporary directory, filled once and kept for later runs. It appears under its
 * name by one rename, so processes that start at the same time never see half of it; a folder that somebody else
 * planted there is refused.
 */
export async function unpackOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const folder = path.join(await temporaryDirectory(), `${name}-${uid}`)
  if (await isOurs(folder, uid)) return folder
  const draft = `${folder}.${randomBytes(6).toString('hex')}`
  await mkdir(draft, { mode: 0o755 })
  try {
    await fill(draft)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process may have been faster: its folder is as good as ours.
    if (!(await isOurs(folder, uid))) throw error
  }
  return folder
}

/** The system's temporary directory, or /tmp when root's own is closed to the user that runs PostgreSQL for it. */
export async function temporaryDirectory(): Promise<string> {
  const chosen = os.tmpdir()
  if (process.getuid?.() !== 0) return chosen
  for (let folder = chosen; ; folder = path.dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return '/tmp'
    if (folder === path.dirname(folder)) return chosen
  }
}

async function isOurs(folder: string, uid: number): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined)
  if (found === undefined) return false
  if (process.getuid !== undefined && (found.uid !== uid || !found.isDirectory())) {
    throw new Error(`${folder} belongs to somebody else: remove it, or set TMPDIR to a directory of your own.`)
  }
  return true
}
