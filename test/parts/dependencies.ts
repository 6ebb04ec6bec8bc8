/** The fields of a package.json that matter here. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

/** One package in package-lock.json. */
export interface Locked extends Manifest {
  readonly version?: string
  readonly license?: string
  readonly hasInstallScript?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
}

/** The part of package-lock.json that matters here: packages by their place. */
export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>
}

const PERMISSIVE = /^\(?(0BSD|Apache-2\.0|BlueOak-1\.0\.0|BSD-2-Clause|BSD-3-Clause|CC0-1\.0|ISC|MIT|MIT-0|Unlicense)\b/

/** Everything that the runtime dependencies of one package do against the rules, one sentence each. */
export function checkDependencies(folder: string, manifest: Manifest, lock: Lock, limit: number): string[] {
  const wrong: string[] = []
  const direct = Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies })
  if (direct.length > limit) wrong.push(`${folder} has ${direct.length} runtime dependencies, more than ${limit}`)
  for (const [name, version] of direct) {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) wrong.push(`${folder}: ${name} is not pinned: ${version}`)
  }
  for (const script of ['preinstall', 'install', 'postinstall']) {
    if (manifest.scripts?.[script] !== undefined) wrong.push(`${folder} runs a ${script} script`)
  }
  for (const [place, name] of reachable(folder, manifest, lock)) {
    const found = lock.packages[place]
    if (found === undefined) {
      wrong.push(`${folder}: ${name} is not in package-lock.json`)
      continue
    }
    if (found.hasInstallScript) wrong.push(`${folder}: ${place} runs an install script`)
    if (!PERMISSIVE.test(found.license ?? '')) wrong.push(`${folder}: ${place} has the licence ${found.license}`)
  }
  return wrong
}

/**
 * What a locked package names and the lock file does not have, parts for other systems included: npm ci stops at each, on
 * every system. A registry that lacks some of them makes such a lock file without a word.
 */
export function findMissing(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => findPlace(from, name, lock) === undefined)
      .map((name) => `${name}, which ${from} names, is not in package-lock.json`),
  )
}

/** The place in the lock file of every package that is installed with this one, and its name. */
export function reachable(folder: string, manifest: Manifest, lock: Lock): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (from: string, { dependencies, optionalDependencies }: Manifest) => {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = findPlace(from, name, lock)
      // An optional part for another system may be left out of the lock file.
      if (place === undefined && optionalDependencies?.[name] !== undefined) continue
      const key = place ?? name
      if (found.has(key)) continue
      found.set(key, name)
      walk(key, lock.packages[key] ?? {})
    }
  }
  walk(folder, manifest)
  return found
}

// As Node does: in the package's own node_modules, then in those around it.
function findPlace(from: string, name: string, lock: Lock): string | undefined {
  for (let place = from; ; place = place.includes('/') ? place.slice(0, place.lastIndexOf('/')) : '') {
    const candidate = place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`
    if (lock.packages[candidate] !== undefined) return candidate
    if (place === '') return undefined
  }
}
