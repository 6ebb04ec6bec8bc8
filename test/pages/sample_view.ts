import type { SafeHtml } from '../../server/src/web/ui/html.ts'
import { en } from '../../server/src/web/ui/text/en.ts'
import { createLanguages } from '../../server/src/web/ui/text/languages.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { dataUrl, makePng } from '../parts/pictures.ts'

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

/** The picture of a client. */
export const SAMPLE_LOGO = dataUrl('image/png', makePng({ rgb: [51, 80, 192] }))

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
