/** A colour of sRGB, each part 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** Reads `#rrggbb`; anything else is undefined. */
export function parseColour(text: string): Rgb | undefined {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text)
  if (!match) return undefined
  return [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16), Number.parseInt(match[3]!, 16)]
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio). */
export function contrast(a: Rgb, b: Rgb): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

const WHITE: Rgb = [255, 255, 255]
const BLACK: Rgb = [0, 0, 0]
const READABLE = 4.6

/** The hardest grounds on which our stylesheets put the accent, per theme: those of a remark, and of good news. */
export const ACCENT_GROUNDS = { light: [238, 241, 252] as Rgb, dark: [23, 48, 31] as Rgb }

/** What becomes of a tenant's colour in one theme. */
export interface Accent {
  readonly colour: Rgb
  /** Text on it: white or black. */
  readonly ink: Rgb
  /** What the colour as it was given would have on the hardest ground; below 4.5 it could not be read (WCAG 1.4.3). */
  readonly given_contrast: number
}

/** The colour itself where it can be read, else moved towards black (light theme) or white (dark theme) until it can. */
export function accentIn(given: Rgb, theme: keyof typeof ACCENT_GROUNDS): Accent {
  const ground = ACCENT_GROUNDS[theme]
  const colour = readable(given, ground, theme === 'light' ? BLACK : WHITE)
  return { colour, ink: inkOn(colour), given_contrast: contrast(given, ground) }
}

/** The stylesheet of a tenant's colour, in both themes. Undefined when the text is no `#rrggbb`. */
export function brandStylesheet(accent: string): string | undefined {
  const given = parseColour(accent)
  if (!given) return undefined
  const [light, dark] = [accentIn(given, 'light'), accentIn(given, 'dark')]
  const pair = (name: string, a: Rgb, b: Rgb): string => `--${name}: light-dark(${writeColour(a)}, ${writeColour(b)});`
  return `:root { ${pair('accent', light.colour, dark.colour)} ${pair('on-accent', light.ink, dark.ink)} }\n`
}

function readable(colour: Rgb, ground: Rgb, towards: Rgb): Rgb {
  for (let part = 0; part <= 1; part += 0.02) {
    const mixed = mix(colour, towards, part)
    if (contrast(mixed, ground) >= READABLE) return mixed
  }
  return towards
}

function inkOn(ground: Rgb): Rgb {
  return contrast(WHITE, ground) >= contrast(BLACK, ground) ? WHITE : BLACK
}

function mix(from: Rgb, to: Rgb, part: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(from[i]! + (to[i]! - from[i]!) * part)) as unknown as Rgb
}

/** A colour as `#rrggbb`. */
export function writeColour(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => {
    const level = part / 255
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
