import { readFileSync } from 'node:fs'
import { sha256 } from '../../crypto/hash.ts'
import { brandStylesheet } from './colour.ts'

/** A file that pages load. Its path carries the hash of its content, so browsers keep it for ever. */
export interface Asset<Body = string> {
  readonly path: string
  readonly body: Body
  readonly headers: Readonly<Record<string, string>>
}

const CSS = 'text/css; charset=utf-8'
const JAVASCRIPT = 'text/javascript; charset=utf-8'

/** The stylesheet of every page, and all that sign-in and consent load: they paint from under 15 kB. */
export const stylesheet = readStyles('app', [
  'tokens',
  'ground',
  'controls',
  'boxes',
  'narrow',
  'consent',
  'second_factor',
  'print',
])

/** What the account page and the console add to it. */
export const signedInStylesheet = readStyles('signed_in', [
  'frame',
  'cards',
  'console_nav',
  'console_forms',
  'tables',
  'changes',
  'plots',
  'brand',
])

/** The island that lets a person see the password they type. */
export const showPassword = readAsset('show_password.js', JAVASCRIPT)

/** The island that sends an authorization response on its way (OAuth 2.0 Form Post Response Mode). */
export const formPost = readAsset('form_post.js', JAVASCRIPT)

/** The island that signs in with a passkey, or makes one. */
export const passkey = readAsset('passkey.js', JAVASCRIPT)

/** The island that copies what stands there to be copied. */
export const copyButtons = readAsset('copy.js', JAVASCRIPT)

/** The island that follows the audit log. */
export const liveEvents = readAsset('live_events.js', JAVASCRIPT)

/** The island of the last page of a connect session in a popup. */
export const connectDone = readAsset('connect_done.js', JAVASCRIPT)

/** What pages of platforms load from here to open a connect session; it is the same as in the SDK. */
export const connectScript = shared(readAsset('connect.js', JAVASCRIPT))

/** What the island of the playground is made of beside itself. */
const playgroundKeys = readAsset('playground_keys.js', JAVASCRIPT)
const playgroundHttp = readAsset('playground_http.js', JAVASCRIPT)
const playgroundModules = [
  ...[playgroundKeys, playgroundHttp],
  readAsset('playground_request.js', JAVASCRIPT, [playgroundKeys, playgroundHttp]),
  readAsset('playground_show.js', JAVASCRIPT, [playgroundKeys]),
]

/** The island that runs the flows of the playground. */
export const playground = readAsset('playground.js', JAVASCRIPT, playgroundModules)

/** What the playground adds to the console's looks. */
export const playgroundStylesheet = readStyles('playground', ['playground'])

/** The picture of the tab. */
export const icon = readAsset('icon.svg', 'image/svg+xml')

const byPath = new Map(
  [
    ...[stylesheet, signedInStylesheet, playgroundStylesheet, icon],
    ...[
      showPassword,
      formPost,
      passkey,
      copyButtons,
      liveEvents,
      connectDone,
      connectScript,
      playground,
      ...playgroundModules,
    ],
  ].map((asset) => [asset.path, asset]),
)

/** The asset at a path under the issuer, with a tenant's colours made on the spot; undefined where there is none. */
export function findAsset(path: string): Asset | undefined {
  const accent = /^\/assets\/brand-([0-9a-f]{6})\.css$/.exec(path)?.[1]
  if (accent === undefined) return byPath.get(path)
  return asset(path, brandStylesheet(`#${accent}`) ?? '', CSS, 'public, max-age=3600')
}

/** The path of the stylesheet for a tenant's colour, when it is one. */
export function brandPath(accent: string | undefined): string | undefined {
  if (accent === undefined || brandStylesheet(accent) === undefined) return undefined
  return `/assets/brand-${accent.slice(1).toLowerCase()}.css`
}

/** A module that imports others finds them at their paths. */
function readAsset(file: string, type: string, imports: readonly Asset[] = []): Asset {
  return hashed(file, imports.reduce(nameImport, readText(file)), type)
}

/** Files of `styles/`, each of one subject, as the one that browsers load: what stands later wins. */
function readStyles(stem: string, subjects: readonly string[]): Asset {
  const rules = subjects.map((subject) => readText(`styles/${subject}.css`))
  return hashed(`${stem}.css`, shortenCss(rules.join('\n')), CSS)
}

function readText(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
}

function hashed(file: string, body: string, type: string): Asset {
  const hash = sha256(body).toString('hex').slice(0, 12)
  const [stem, extension] = file.split('.')
  return asset(`/assets/${stem}-${hash}.${extension}`, body, type)
}

function nameImport(source: string, { path }: Asset): string {
  const name = path.slice('/assets/'.length)
  return source.replace(`'./${name.replace(/-[0-9a-f]{12}\./, '.')}'`, `'./${name}'`)
}

/** Something to serve at a path under the issuer's, for as long as browsers like. */
export function asset<Body>(
  path: string,
  body: Body,
  type: string,
  caching = 'public, max-age=31536000, immutable',
): Asset<Body> {
  return {
    path,
    body,
    headers: {
      'content-type': type,
      'cache-control': caching,
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    },
  }
}

/** The hash by which a page of another site holds a script of ours to what it was (Subresource Integrity). */
export function integrityOf({ body }: Asset): string {
  return `sha256-${sha256(body).toString('base64')}`
}

// A module is fetched with CORS, also without credentials; there is nothing in it that not everybody may see.
function shared({ headers, ...rest }: Asset): Asset {
  const open = { 'cross-origin-resource-policy': 'cross-origin', 'access-control-allow-origin': '*' }
  return { ...rest, headers: { ...headers, ...open } }
}

/** Takes comments and layout out of our own stylesheets, whose strings hold neither. */
function shortenCss(css: string): string {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':')
    .replace(/;}/g, '}')
    .replace(/(?<=[ :,(])0(?=\.\d)/g, '')
    .trim()
}
