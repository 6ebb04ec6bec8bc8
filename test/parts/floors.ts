import path from 'node:path'
import { type Import, maskText, readImports } from './imports.ts'

/** One line of a drawing in ARCHITECTURE.md: a folder of server/src (or the roof), or a room of a floor, and what it may import. */
export interface Unit {
  readonly name: string
  readonly floor: number
  readonly planned: boolean
  /** Of the roof alone: its files and folders, `true` when they are only planned. */
  readonly members: ReadonlyMap<string, boolean>
  /** The folders it imports from, `true` when the edge is only planned. */
  readonly uses: ReadonlyMap<string, boolean>
}

/** Source text by path from the repository's root. */
export type Tree = ReadonlyMap<string, string>

/** Reads a block, such as the one marked `floors`: `<floor> <name>  <purpose>`, then `→ <names>`; a trailing * marks what is planned. */
export function readDrawing(markdown: string, name = 'floors'): Unit[] {
  const block = new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(markdown)
  if (block === null) throw new Error(`ARCHITECTURE.md has no block marked ${name}.`)
  const units: Unit[] = []
  for (const line of block[1]!.split('\n')) {
    const head = /^\s*(\d)\s+(\w+)(\*?)\s+(\S.*)$/.exec(line)
    const uses = /^\s*→\s*(\S.*)$/.exec(line)
    if (head !== null) {
      const unit = head[2]!
      const members = unit === 'roof' ? readMarks(head[4]!.split(':')[0]!) : new Map<string, boolean>()
      units.push({ name: unit, floor: Number(head[1]), planned: head[3] === '*', members, uses: new Map() })
    } else if (uses !== null && units.length > 0) units.push({ ...units.pop()!, uses: readMarks(uses[1]!) })
    else if (line.trim() !== '')
      throw new Error(`The drawing of the ${name} has a line that is not understood: ${line}`)
  }
  return units
}

function readMarks(words: string): Map<string, boolean> {
  const names = words.trim().split(/[\s,]+/)
  return new Map(names.map((name) => [name.replace(/\*$/, ''), name.endsWith('*')]))
}

/** Everything that the tree does against the drawing and the rules of the house, one sentence each. */
export function checkFloors(tree: Tree, units: readonly Unit[]): string[] {
  const imports = new Map([...tree].map(([file, source]) => [file, readImports(source)]))
  return [
    ...checkDirections(imports, units),
    ...checkDrawing(imports, units, unitOf),
    ...checkCycles(imports),
    ...checkDoors(imports),
    ...checkPurity(tree, imports),
    ...checkCalls(tree),
  ]
}

/**
 * The same inside of one floor: its rooms are its folders, and what lies beside them is the ground that all stand on. `folder` is
 * the floor's, from the repository's root.
 */
export function checkRooms(tree: Tree, folder: string, rooms: readonly Unit[]): string[] {
  const roomOf = (file: string) => {
    const [first, rest] = file.slice(folder.length).split('/', 2)
    return rest === undefined ? 'ground' : first!
  }
  const own = [...tree].filter(([file]) => file.startsWith(folder))
  const inside = own.map(([file, source]): [string, Import[]] => [
    file,
    readImports(source).filter(
      ({ specifier }) => specifier?.startsWith('.') && target(file, specifier).startsWith(folder),
    ),
  ])
  const storeys = new Map(rooms.map(({ name, floor }) => [name, floor]))
  const upward = inside.flatMap(([file, list]) =>
    list.flatMap(({ specifier, line }) => {
      const to = target(file, specifier!)
      const [from, into] = [roomOf(file), roomOf(to)]
      if (isTest(file) || from === into || (storeys.get(into) ?? 99) < (storeys.get(from) ?? -1)) return []
      return [`${file}:${line} imports ${to}, which is not in a room below`]
    }),
  )
  return [...upward, ...checkDrawing(new Map(inside), rooms, roomOf)]
}

type Imports = ReadonlyMap<string, readonly Import[]>

const SERVER = 'server/src/'
const SDK = 'sdk/src/'
const isTest = (file: string) => file.endsWith('.test.ts')
const isRelative = (specifier: string) => specifier.startsWith('.')

/** The unit that a path of server/src belongs to; what lies beside the folders, and config/, cli/ and apply/, is the roof. */
function unitOf(file: string): string | undefined {
  if (!file.startsWith(SERVER)) return undefined
  const [first, rest] = file.slice(SERVER.length).split('/', 2)
  return rest === undefined || ['config', 'cli', 'apply'].includes(first!) ? 'roof' : first
}

function target(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier)
}

function checkDirections(imports: Imports, units: readonly Unit[]): string[] {
  const floors = new Map(units.map((unit) => [unit.name, unit.floor]))
  const wrong: string[] = []
  for (const [file, list] of imports) {
    for (const { specifier, line } of list) {
      const say = (what: string) => wrong.push(`${file}:${line} ${what}`)
      if (specifier === undefined) {
        if (!isTest(file)) say('imports a module whose name is only known at run time')
        continue
      }
      if (/^(sallyport|@sallyport\/sdk)(\/|$)/.test(specifier)) say(`imports ${specifier} by its package name`)
      if (!isRelative(specifier)) continue
      const to = target(file, specifier)
      const root = file.startsWith(SDK) ? SDK : SERVER
      if (!to.startsWith(root)) {
        const parts = to.startsWith('test/parts/') || to.startsWith(root.replace('src/', 'test/'))
        if (!isTest(file) || !parts) say(`imports ${to}, outside of its package`)
        continue
      }
      const [from, into] = [unitOf(file), unitOf(to)]
      if (from === undefined || into === undefined || from === into) continue
      if (!((floors.get(into) ?? 99) < (floors.get(from) ?? -1))) say(`imports ${to}, which is not on a lower floor`)
      const doors = [from, into].sort().join()
      if (doors === 'inbound,outbound') say(`imports ${to}: inbound and outbound never import each other`)
    }
  }
  return wrong
}

/** The drawing shows every folder and every edge between folders, and nothing else; tests do not count as edges. */
function checkDrawing(
  imports: Imports,
  units: readonly Unit[],
  unitOf: (file: string) => string | undefined,
): string[] {
  const wrong: string[] = []
  const files = [...imports.keys()].filter((file) => file.startsWith(SERVER))
  const built = new Set(files.map((file) => unitOf(file)))
  const roof = new Set(files.filter((file) => !isTest(file) && unitOf(file) === 'roof').map((file) => memberOf(file)))
  const edges = new Set<string>()
  for (const [file, list] of imports) {
    for (const { specifier } of isTest(file) ? [] : list) {
      if (specifier !== undefined && isRelative(specifier))
        edges.add(`${unitOf(file)} ${unitOf(target(file, specifier))}`)
    }
  }
  const compare = (what: string, exists: boolean, planned: boolean | undefined) => {
    if (exists && planned === undefined) wrong.push(`ARCHITECTURE.md does not draw ${what}`)
    if (exists && planned) wrong.push(`ARCHITECTURE.md draws ${what} as planned, but it is there: take the * away`)
    if (!exists && planned === false) wrong.push(`ARCHITECTURE.md draws ${what}, which is not there`)
  }
  const drawn = new Map(units.map((unit) => [unit.name, unit]))
  for (const name of new Set([...built, ...drawn.keys()])) {
    compare(`the folder ${name}`, built.has(name), drawn.get(name!)?.planned)
  }
  for (const { name, members, uses } of units) {
    for (const other of new Set([...drawn.keys(), ...uses.keys()])) {
      if (other !== name) compare(`the edge ${name} → ${other}`, edges.has(`${name} ${other}`), uses.get(other))
    }
    if (name !== 'roof') continue
    for (const member of new Set([...roof, ...members.keys()])) {
      compare(`${member} in the roof`, roof.has(member), members.get(member))
    }
  }
  return wrong
}

function memberOf(file: string): string {
  const [first, rest] = file.slice(SERVER.length).split('/', 2)
  return rest === undefined ? first! : `${first}/`
}

function checkCycles(imports: Imports): string[] {
  const wrong: string[] = []
  const done = new Set<string>()
  const walk = (file: string, way: readonly string[]) => {
    if (way.includes(file)) {
      wrong.push(`A cycle of imports: ${[...way.slice(way.indexOf(file)), file].join(' → ')}`)
      return
    }
    if (done.has(file)) return
    for (const { specifier } of imports.get(file) ?? []) {
      if (specifier !== undefined && isRelative(specifier)) walk(target(file, specifier), [...way, file])
    }
    done.add(file)
  }
  for (const file of imports.keys()) walk(file, [])
  return wrong
}

/** Each way out of the process is one folder's business: the module, and the units that may import it. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  undici: ['egress'],
  'node:https': ['egress'],
  'node:http2': ['egress'],
  'node:tls': ['egress'],
  'node:dns': ['egress'],
  'node:dns/promises': ['egress'],
  'node:dgram': ['egress'],
  'node:net': ['egress', 'roof'], // the roof: the admin socket
  'node:http': ['roof'], // the listener
  '@hono/node-server': ['roof'],
  hono: ['web', 'roof'],
  oauth4webapi: ['relying'],
  nodemailer: ['mail'],
  '@simplewebauthn/server': ['inbound'],
  jose: ['crypto'],
  '@node-rs/argon2': ['crypto'],
  pg: ['store'],
  'node:sqlite': ['store'],
  'node:child_process': ['roof'],
  'node:worker_threads': ['store', 'roof'],
}
const PURE_OF_NET = /^\{\s*((type )?(isIP|isIPv4|isIPv6|BlockList|SocketAddress),?\s*)+\}$/

function checkDoors(imports: Imports): string[] {
  const wrong: string[] = []
  for (const [file, list] of imports) {
    const unit = unitOf(file)
    if (unit === undefined || isTest(file)) continue
    for (const { specifier, names, type, line } of list) {
      const module = Object.keys(DOORS).find((door) => specifier === door || specifier?.startsWith(`${door}/`))
      if (module === undefined || type || DOORS[module]!.includes(unit)) continue
      if (module === 'node:net' && PURE_OF_NET.test(names)) continue
      wrong.push(`${file}:${line} imports ${specifier}, which only ${DOORS[module]!.join(' and ')} may`)
    }
    for (const { specifier, names, line } of list) {
      const clientOfHttp = specifier === 'node:http' && !/^(type\b.*|\{[^}]*\})$/s.test(names)
      const request = specifier === 'node:http' && /\b(request|get|Agent|globalAgent)\b/.test(names)
      if (clientOfHttp || (request && !file.startsWith(`${SERVER}cli/`))) {
        wrong.push(`${file}:${line} may take from node:http, by name, only what serves`)
      }
    }
  }
  return wrong
}

/** The floors without input and output, and the only modules of Node that they may import. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  crypto: ['node:crypto', 'node:buffer', 'node:util', 'node:os'],
  oauth: ['node:buffer', 'node:util'],
  providers: ['node:buffer', 'node:util'],
  languages: [],
}
const IMPURE_CALLS =
  /(?<![.\w$])(Date\.now|new Date\(\)|performance\.now|Math\.random|process\.env|setTimeout|setInterval)\b/g

function checkPurity(tree: Tree, imports: Imports): string[] {
  const wrong: string[] = []
  for (const [file, source] of tree) {
    const allowed = PURE[unitOf(file) ?? '']
    if (allowed === undefined || isTest(file)) continue
    for (const { specifier, line } of imports.get(file) ?? []) {
      if (specifier?.startsWith('node:') && !allowed.includes(specifier)) {
        wrong.push(`${file}:${line} imports ${specifier}, but its floor is pure`)
      }
    }
    for (const { text, line } of findAll(source, IMPURE_CALLS)) {
      wrong.push(`${file}:${line} uses ${text}, but its floor is pure: let the caller pass it`)
    }
  }
  return wrong
}

// `fetch(` that is neither a property nor the head of a function of that name.
const OUTGOING =
  /(?<![.\w$]|function )fetch\s*\((?![^()]*\)\s*(?::[^;{]*)?\{)|\b(globalThis|global|window)\.fetch\b|\bnew (WebSocket|EventSource)\b|\bcreateRemoteJWKSet\b/g

function checkCalls(tree: Tree): string[] {
  const wrong: string[] = []
  for (const [file, source] of tree) {
    if (!file.startsWith(SERVER) || isTest(file) || unitOf(file) === 'egress') continue
    for (const { text, line } of findAll(source, OUTGOING)) {
      wrong.push(`${file}:${line} opens a connection (${text.trim()}): only egress does`)
    }
  }
  return wrong
}

function findAll(source: string, pattern: RegExp): { text: string; line: number }[] {
  const code = maskText(source)
  return [...code.matchAll(pattern)].map((match) => ({
    text: match[0],
    line: code.slice(0, match.index).split('\n').length,
  }))
}

const VAGUE = /^(utils?|helpers?|common|shared|libs?|managers?|services?)$/

/** Names that say nothing; `service` is a resource of JetBrains Hub, so its own room and its rows may say it. */
export function checkNames(paths: readonly string[]): string[] {
  return paths.flatMap((file) => {
    const vague = file.split(/[/._-]/).filter((word) => VAGUE.test(word))
    const hub = /\/compat\/|^test\/reference\/h\d/.test(file) && vague.every((word) => word.startsWith('service'))
    return vague.length === 0 || hub ? [] : [`${file} is named by a word that says nothing: ${vague.join(', ')}`]
  })
}

/** Files that only re-export. `entries` are the packages' own exports; the registries list what they hold. */
export function checkBarrels(tree: Tree, entries: readonly string[]): string[] {
  const registry = /\/(grant_types|providers|verbs)\/index\.ts$/
  return [...tree].flatMap(([file, source]) => {
    const code = maskText(source)
    const rest = code.replace(/(import|export)\s[^;'"]*?from\s*(['"]) *\2/g, '')
    const barrel = rest.trim() === '' && /\bexport\b/.test(code)
    return barrel && !entries.includes(file) && !registry.test(file) ? [`${file} only re-exports`] : []
  })
}
