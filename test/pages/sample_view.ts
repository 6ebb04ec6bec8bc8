import type { SafeHtml } from '../../server/src/web/ui/html.ts'
import { en } from '../../server/src/web/ui/text/en.ts'
import { createLanguages } from '../../server/src/web/ui/text/languages.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { makePng } from '../parts/pictures.ts'

/** The moment at which the sample pages are shown. */
export const NOW = Date.UTC(2026, 10, 21, 14, 30)

/** In milliseconds. */
export const MINUTE = 60_000
/** In milliseconds. */
export const HOUR = 60 * MINUTE
/** In milliseconds. */
export const DAY = 24 * HOUR

/** The languages that come with the server. */
export const LANGUAGES = createLanguages()

/** Where the picture of a client lies. */
export const SAMPLE_LOGO = '/assets/client-5b1f0c2d9e8a7463f1e2d3c4.png'

/** The picture itself: three lines of a note. */
export const SAMPLE_LOGO_PNG = makePng({
  width: 80,
  rgb: (x, y) => {
    const line = Math.floor((y - 22) / 14)
    const written = (y - 22) % 14 < 8 && line >= 0 && line < 3 && x >= 20 && x < (line === 2 ? 46 : 60)
    return written ? [255, 255, 255] : [214, 96, 38]
  },
})

/** A view with sensible values. */
export function sampleView(change: Partial<View> = {}): View {
  const tenant = { name: 'Northwind Cloud' }
  return {
    lang: 'en',
    dir: 'ltr',
    text: en,
    languages: LANGUAGES.all,
    here: '/login',
    now: NOW,
    base: '',
    tenant,
    playground: true,
    csrf_token: 'csrf-5b1f',
    ...change,
  }
}

/** Sees each string of data before it reaches a template. */
export type Put = (text: string) => string

/** Pages by name, each ready to be rendered. */
export type Pages = Record<string, () => SafeHtml>
