import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress, createBrotliDecompress } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'
import { readTar } from './tar.ts'
import { unpackOnce } from './unpacked.ts'

/**
 * Starts a real Chromium without a window: the system's, else the one that npm installed (Linux x64).
 * SALLYPORT_TEST_CHROMIUM names another executable, or is `bundled` for the one of npm.
 */
export async function launchBrowser(): Promise<{ browser: Browser; close(): Promise<void> }> {
  const { executablePath, LD_LIBRARY_PATH } = await findChromium()
  const FONTCONFIG_FILE = path.join(await unpackFonts(), 'fonts.conf')
  const browser = await chromium.launch({
    executablePath,
    args: ARGS,
    env: { ...process.env, FONTCONFIG_FILE, ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }) },
  })
  return { browser, close: () => browser.close() }
}

// Nothing here weakens what pages may do: a browser without web security would make security tests lie.
const ARGS = [
  '--no-sandbox', // root and most containers have no user namespaces; every page it sees is ours
  '--disable-gpu',
  '--disable-dev-shm-usage',
  // Only loopback: Chromium passes by a proxy for it, and for the rest this proxy does not exist.
  '--proxy-server=http://127.0.0.1:9',
  '--disable-quic',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--metrics-recording-only',
]

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'chrome.exe']
const PLACES = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

async function findChromium(): Promise<{ executablePath: string; LD_LIBRARY_PATH?: string }> {
  const wish = process.env['SALLYPORT_TEST_CHROMIUM']
  if (wish && wish !== 'bundled') return { executablePath: wish }
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/bin', '/usr/local/bin']
  const system = [...folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name))), ...PLACES]
  const found = wish === 'bundled' ? undefined : system.find((file) => existsSync(file))
  if (found !== undefined) return { executablePath: found }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'The suite needs a Chromium: install one (Debian: apt install chromium), ' +
        'or set SALLYPORT_TEST_CHROMIUM to its executable; npm has one for Linux x64 only.',
    )
  }
  const folder = await unpackChromium()
  return { executablePath: path.join(folder, 'chromium'), LD_LIBRARY_PATH: path.join(folder, 'lib') }
}

const packed = (name: string) => fileURLToPath(new URL(`../../bin/${name}`, import.meta.resolve('@sparticuz/chromium')))

async function unpackChromium(): Promise<string> {
  return unpackOnce(`sallyport-chromium-${await packedVersion()}`, async (folder) => {
    await Promise.all([
      pipeline(
        createReadStream(packed('chromium.br')),
        createBrotliDecompress({ chunkSize: 2 ** 20 }),
        createWriteStream(path.join(folder, 'chromium'), { mode: 0o755 }),
      ),
      // Network security services and expat, for systems that never had a browser.
      unpackTar(packed('al2023.tar.br'), folder),
    ])
  })
}

async function unpackFonts(): Promise<string> {
  return unpackOnce(`sallyport-fonts-${await packedVersion()}`, async (folder) => {
    await unpackTar(packed('fonts.tar.br'), folder)
    const arabic = new URL('400Regular/', import.meta.resolve('@expo-google-fonts/noto-sans-arabic/package.json'))
    for (const name of await readdir(arabic)) {
      if (name.endsWith('.ttf')) await copyFile(new URL(name, arabic), path.join(folder, 'fonts', name))
    }
    await writeFile(path.join(folder, 'fonts.conf'), FONTS_CONF)
  })
}

// The same fonts everywhere, so that a page has the same shape on every machine.
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <match target="pattern">
    <edit name="family" mode="append" binding="weak"><string>Open Sans</string></edit>
  </match>
</fontconfig>
`

async function packedVersion(): Promise<string> {
  return JSON.parse(await readFile(packed('../package.json'), 'utf8')).version
}

async function unpackTar(file: string, folder: string): Promise<void> {
  for (const { name, mode, data } of readTar(await promisify(brotliDecompress)(await readFile(file)))) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), data, { mode })
  }
}
