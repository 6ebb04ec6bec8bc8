import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stylesheet } from './assets.ts'
import { ACCENT_GROUNDS, brandStylesheet, contrast, parseColour, type Rgb } from './colour.ts'

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

test('the colour of any tenant is moved until it can be read, in both themes', () => {
  const levels = ['00', '33', '80', 'cc', 'ff']
  for (const red of levels)
    for (const green of levels)
      for (const blue of levels) {
        const brand = readTokens(brandStylesheet(`#${red}${green}${blue}`)!)
        const [light, dark] = brand.get('accent')!
        assert.ok(contrast(light, ACCENT_GROUNDS.light) >= 4.5)
        assert.ok(contrast(dark, ACCENT_GROUNDS.dark) >= 4.5)
        for (const index of [0, 1] as const) {
          assert.ok(contrast(brand.get('accent')![index], brand.get('on-accent')![index]) >= 4.5)
        }
      }
})

test('the grounds that the accent is measured on are the hardest of the stylesheet', () => {
  for (const ground of GROUNDS) {
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
