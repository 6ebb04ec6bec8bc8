import { nearestName } from '../apply/nearest.ts'
import { ACCESS_TOKEN_VARIABLE, CONFIG_VARIABLE, SETTINGS, type Setting, type SettingName } from './settings.ts'

/** Where settings are looked for, in this order; all values are text by then. */
export interface ConfigSources {
  readonly flags: Readonly<Partial<Record<SettingName, string>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The `server` section of the platform file. */
  readonly file?: Readonly<Partial<Record<SettingName, string>>>
  /** The folder that relative paths of flags and environment start from. */
  readonly cwd: string
}

/** What a setting was set to. */
export interface Found {
  readonly text: string
  /** How the person who set it calls it. */
  readonly name: string
  readonly level: number
}

/** What a setting was set to, at the first place that sets it. */
export function findSetting(sources: ConfigSources, setting: SettingName): Found | undefined {
  const { env, flag }: Setting = SETTINGS[setting]
  const levels = [
    { text: sources.flags[setting], name: flag?.split(' ')[0] ?? setting },
    // Compose files and the like hand on variables that nobody has set as empty ones.
    { text: sources.env[env] || undefined, name: env },
    { text: sources.file?.[setting], name: `server.${setting}` },
  ]
  const level = levels.findIndex(({ text }) => text !== undefined)
  if (level < 0) return undefined
  return { text: levels[level]!.text!, name: levels[level]!.name, level }
}

// Kubernetes and Docker describe a neighbour called sallyport by variables like these.
const OF_NEIGHBOURS = /^SALLYPORT_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))(_|$)|^SALLYPORT_(PORT|NAME|ENV_.*)$/

/** A sentence for each variable that looks like a setting and is none. */
export function refuseUnknownVariables(env: ConfigSources['env']): string[] {
  const known: string[] = [
    CONFIG_VARIABLE,
    ACCESS_TOKEN_VARIABLE,
    ...Object.values(SETTINGS).map((setting) => setting.env),
  ]
  const short = (name: string) => name.replace(/^SALLYPORT_/, '')
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith('SALLYPORT_') || known.includes(name)) return []
    if (OF_NEIGHBOURS.test(name) && (name !== 'SALLYPORT_PORT' || /^(tcp|udp):/.test(value ?? ''))) return []
    const nearest = nearestName(short(name), known.map(short))
    const meant = known.find((candidate) => nearest !== undefined && short(candidate) === nearest)
    return [`${name} is not a setting${meant === undefined ? '' : `; did you mean ${meant}?`}`]
  })
}

/** Complains about one of two settings that only come together. */
export function refuseHalf(sources: ConfigSources, one: SettingName, other: SettingName): string[] {
  const has = [one, other].map((setting) => findSetting(sources, setting) !== undefined)
  if (has[0] === has[1]) return []
  const [given, missing] = has[0] ? [one, other] : [other, one]
  return [`${SETTINGS[given].env} needs ${SETTINGS[missing].env} beside it`]
}
