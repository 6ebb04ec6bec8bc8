import { encode } from 'uqr'
import { type Child, html } from './html.ts'

const PIXELS = 216
// What a camera still reads at that size, two pixels a square.
const LONGEST = 800
const QUIET_ZONE = 4

/**
 * A QR code (ISO/IEC 18004) of a text of ASCII characters, dark on light whatever the theme, as cameras want it. Nothing for a text
 * that is too long to scan: it must stand beside the code in words.
 */
export function qrCode(text: string, label: string): Child {
  if (text.length > LONGEST) return ''
  const { size, data } = encode(text, { ecc: 'L', boostEcc: true, border: QUIET_ZONE })
  const dark = data.flatMap((row, y) => [...runsOf(row)].map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`))
  // Squares of whole pixels are as wide as each other.
  const side = size * Math.floor(PIXELS / size)
  const light = html`<rect width="${size}" height="${size}" rx="2" fill="#fff" stroke="#e3e3de" stroke-width=".4"/>`
  return html`<svg viewBox="0 0 ${size} ${size}" width="${side}" height="${side}" role="img" aria-label="${label}">${light}<path shape-rendering="crispEdges" d="${dark.join('')}"/></svg>`
}

function* runsOf(row: readonly boolean[]): Generator<{ x: number; length: number }> {
  for (let x = row.indexOf(true); x >= 0; ) {
    const end = row.indexOf(false, x)
    yield { x, length: end - x }
    x = row.indexOf(true, end)
  }
}
