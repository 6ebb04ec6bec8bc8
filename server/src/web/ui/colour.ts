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

/** The lightest and darkest grounds on which app.css puts the accent, per theme. */
export const ACCENT_GROUNDS = { light: [242, 242, 239] as Rgb, dark: [36, 39, 43] as Rgb }

/**
 * The stylesheet of a tenant's colour: the colour itself where it can be read, else moved towards black (light theme)
 * or white (dark theme) until it can (WCAG 1.4.3). Undefined when the text is no `#rrggbb`.
 */
export function brandStylesheet(accent: string): string | undefined {
  const colour = parseColour(accent)
  if (!colour) return undefined
  const light = readable(colour, ACCENT_GROUNDS.light, BLACK)
  const dark = readable(colour, ACCENT_GROUNDS.dark, WHITE)
  const pair = (name: string, a: Rgb, b: Rgb): string => `--${name}: light-dark(${hex(a)}, ${hex(b)});`
  return `:root { ${pair('accent', light, dark)} ${pair('on-accent', inkOn(light), inkOn(dark))} }\n`
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

function hex(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => {
    const level = part / 255
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
