import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { stylesheet } from './assets.ts'
import { ACCENT_GROUNDS, accentIn, brandStylesheet, contrast, parseColour, type Rgb } from './colour.ts'

/** The colour tokens of a stylesheet, light and dark. */
function readTokens(css: string): Map<string, [light: Rgb, dark: Rgb]> {
  const tokens = new Map<string, [Rgb, Rgb]>()
  for (const [, name, light, dark] of css.matchAll(/--([\w-]+): ?light-dark\((#\w{6}), ?(#\w{6})\)/g)) {
    tokens.set(name!, [parseColour(light!)!, parseColour(dark!)!])
  }
  return tokens
}

const tokens = readTokens(stylesheet.body)

// Text on what it stands on, as the stylesheets use them.
const GROUNDS = ['ground', 'surface', 'inset']
const TONES = ['good', 'warning', 'danger', 'note'].map((tone) => `${tone}-ground`)
const TEXTS: readonly (readonly [text: string, ground: string])[] = [
  ...['ink', 'muted', 'accent'].flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)),
  ...['good', 'warning', 'danger', 'note'].map((tone) => [tone, `${tone}-ground`] as const),
  ...['ink', 'muted', 'accent'].map((text) => [text, 'note-ground'] as const),
  ...['warning', 'danger', 'good', 'note'].map((tone) => ['accent', `${tone}-ground`] as const),
  ['danger', 'surface'],
  ['danger', 'ground'],
  ['on-accent', 'accent'],
  ['on-ink', 'ink'],
  ['on-danger', 'danger'],
]

for (const [theme, index] of [
  ['light', 0],
  ['dark', 1],
] as const) {
  test(`every text has a contrast of 4.5 on its ground in the ${theme} theme`, () => {
    for (const [text, ground] of TEXTS) {
      const ratio = contrast(tokens.get(text)![index], tokens.get(ground)![index])
      assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`)
    }
  })

  test(`every edge of a field and every focus ring has a contrast of 3 in the ${theme} theme`, () => {
    for (const edge of ['edge', 'accent', 'danger']) {
      for (const ground of GROUNDS) {
        const ratio = contrast(tokens.get(edge)![index], tokens.get(ground)![index])
        assert.ok(ratio >= 3, `${edge} on ${ground}: ${ratio.toFixed(2)}`)
      }
    }
  })
}

test('contrast is what WCAG 2.2 defines', () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21)
  assert.equal(contrast([255, 255, 255], [0, 0, 0]), 21)
  assert.equal(contrast([119, 119, 119], [255, 255, 255]).toFixed(2), '4.48')
})

const colours = fc.integer({ min: 0, max: 0xffffff }).map((number): [string, Rgb] => {
  const text = `#${number.toString(16).padStart(6, '0')}`
  return [text, parseColour(text)!]
})

test('the colour of any tenant is moved until it can be read, in both themes, and not where it can', () => {
  fc.assert(
    fc.property(colours, ([text, given]) => {
      const brand = readTokens(brandStylesheet(text)!)
      for (const [i, theme] of (['light', 'dark'] as const).entries()) {
        const [accent, on] = [brand.get('accent')![i]!, brand.get('on-accent')![i]!]
        for (const ground of GROUNDS)
          assert.ok(contrast(accent, tokens.get(ground)![i]!) >= 4.5, `${text} on ${ground}`)
        assert.ok(contrast(accent, on) >= 4.5, `text on ${text}`)
        const used = accentIn(given, theme)
        assert.deepEqual([used.colour, used.ink], [accent, on])
        assert.equal(
          used.given_contrast >= 4.6,
          isDeepStrictEqual(accent, given),
          `${text} is moved only where it must be`,
        )
      }
    }),
    { numRuns: 2_000 },
  )
})

test('the grounds that the accent is measured on are the hardest of the stylesheet', () => {
  for (const ground of [...GROUNDS, ...TONES]) {
    const [light, dark] = tokens.get(ground)!
    assert.ok(contrast(light, [0, 0, 0]) >= contrast(ACCENT_GROUNDS.light, [0, 0, 0]))
    assert.ok(contrast(dark, [255, 255, 255]) >= contrast(ACCENT_GROUNDS.dark, [255, 255, 255]))
  }
})

test('CVE-2026-5468 a tenant colour is #rrggbb and nothing else', () => {
  for (const text of ['red', '#fff', '#12345', '#1234567', '#12345g', '#123456;}*{display:none', 'url(x)', '']) {
    assert.equal(brandStylesheet(text), undefined)
  }
})
