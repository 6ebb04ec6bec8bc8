import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { hostile } from '../pages/hostile.ts'
import { payloads } from '../pages/payloads.ts'
import { servePreview } from '../pages/preview.ts'
import { sampleView } from '../pages/sample_view.ts'
import { samplePages } from '../pages/samples.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Keyboard } from '../parts/keyboard.ts'

const EVERY_PAGE = Object.keys(samplePages(sampleView()))
// One page of each template; every state of each is for the long suite.
const TEMPLATES = EVERY_PAGE.filter((name) => !EVERY_PAGE.some((other) => name.startsWith(`${other}_`)))
const THOROUGH = process.env['SALLYPORT_TEST_EVERY_PAGE'] !== undefined
const PAGES = THOROUGH ? EVERY_PAGE : TEMPLATES
// Of what is much the same on all of them the short suite asks one page in three, the long one every page.
const SOME = THOROUGH ? PAGES : PAGES.filter((_, index) => index % 3 === 0)
// Together they have every component; the long suite looks at the colours of all templates.
const COLOURFUL = THOROUGH
  ? TEMPLATES
  : ['login', 'consent', 'account', 'device_question', 'overview', 'client', 'webhook']

let running: { browser: Browser; close(): Promise<void> }
let preview: { origin: string; close(): void }

before(async () => {
  preview = await servePreview()
  running = await launchBrowser()
})
after(async () => {
  await running?.close()
  preview?.close()
})

/** Runs steps in a page of their own; what the browser complains about fails them. */
async function visit(options: BrowserContextOptions, steps: (page: Page) => Promise<void>): Promise<void> {
  const context = await running.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${preview.origin}/`) && !url.startsWith('data:')) complaints.push(`request to ${url}`)
  })
  await steps(page)
  await context.close()
  assert.deepEqual(complaints, [])
}

/**
 * What axe, or some of its rules, finds on a page, whose policy must be set aside: axe is a script of its own. It is run
 * without its wrapper for playwright, which carries every element that passed out of the page and takes twice as long.
 */
async function findByAxe(
  page: Page,
  name: string,
  { part = 'html', ...rules }: { part?: string; only?: string[]; without?: string[] } = {},
): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const look = async ({ part, only, without = [] }: typeof rules & { part: string }) => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') }
    const off = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]))
    const wish = only ? { runOnly: only } : { rules: off }
    const found = await axe.run(part, { ...wish, resultTypes: ['violations'], preload: false })
    return { violations: found.violations, passed: found.passes.length }
  }
  const { violations, passed } = await page.evaluate(look, { part, ...rules })
  assert.ok(passed > 0, `axe looked at nothing on ${name}`)
  return violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes.map((node) => node.target).join(', ')}`)
}

const CONTRAST = ['color-contrast', 'link-in-text-block']

test('axe finds nothing on any page, in the light theme and in the dark one', async () => {
  await visit({ bypassCSP: true }, async (page) => {
    for (const name of new Set([...SOME, ...COLOURFUL])) {
      await page.emulateMedia({ colorScheme: 'light' })
      await page.goto(`${preview.origin}/${name}`)
      for (const summary of await page.locator('summary:visible').all()) await summary.click()
      assert.deepEqual(await findByAxe(page, name, { without: CONTRAST }), [])
      // Contrast takes longer than all else.
      const themes = COLOURFUL.includes(name) ? (['light', 'dark'] as const) : []
      for (const colorScheme of themes) {
        await page.emulateMedia({ colorScheme })
        assert.deepEqual(await findByAxe(page, `${name}, ${colorScheme}`, { only: CONTRAST }), [])
      }
    }
  })
})

test('axe finds nothing on a small screen, nor in the questions before something ends', async () => {
  await visit({ viewport: { width: 320, height: 700 }, bypassCSP: true }, async (page) => {
    for (const [name, opener] of [
      ['account', 'remove-app-0'],
      ['client', 'delete'],
      ['clients', 'nav'],
    ]) {
      await page.goto(`${preview.origin}/${name}`)
      assert.deepEqual(await findByAxe(page, name!), [])
      await page.click(`[popovertarget="${opener}"]`)
      // What lies behind the question is dimmed.
      assert.deepEqual(await findByAxe(page, `${name} ${opener}`, { part: `#${opener}` }), [])
    }
  })
})

/** What reaches over the right or left edge of the window. */
function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.documentElement
    if (root.scrollWidth <= root.clientWidth) return []
    const wide = [...document.querySelectorAll('body *')].filter((element) => {
      const { left, right } = element.getBoundingClientRect()
      return right > root.clientWidth + 1 || left < -1
    })
    return [`${root.scrollWidth} wide`, ...wide.map((element) => element.outerHTML.slice(0, 80))]
  })
}

/** What is pressed or filled and is lower than 44 px. */
function low(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('a[href]:not(.skip), button, input, select, textarea, summary, label.choice')]
      .filter((element) => element.checkVisibility() && !element.matches('.choice input, [type=hidden]'))
      .filter((element) => element.getBoundingClientRect().height < 43.9)
      .map((element) => `${element.getBoundingClientRect().height} ${element.outerHTML.slice(0, 80)}`),
  )
}

const write = (page: Page, direction: 'ltr' | 'rtl') =>
  page.evaluate((value) => {
    document.documentElement.dir = value
  }, direction)

test('nothing scrolls sideways at 320 px in any language and either direction, with any kind of name, and targets are 44 px high', async () => {
  await visit({ viewport: { width: 320, height: 700 } }, async (page) => {
    for (const name of PAGES) {
      for (const data of THOROUGH ? ['', 'long', 'marks'] : ['long']) {
        await page.goto(`${preview.origin}/${name}?data=${data}`)
        for (const direction of ['rtl', 'ltr'] as const) {
          await write(page, direction)
          assert.deepEqual(await sideways(page), [], `${name} ${data} ${direction}`)
        }
        if (data === 'long') assert.deepEqual(await low(page), [], `${name} at 320`)
      }
      for (const lang of THOROUGH ? ['de', 'ar'] : SOME.includes(name) ? ['de'] : []) {
        await page.goto(`${preview.origin}/${name}?lang=${lang}`)
        assert.deepEqual(await sideways(page), [], `${name} in ${lang}`)
      }
    }
  })
})

test('targets are 44 px high on a wide screen, and nothing scrolls sideways when text is twice as large', async () => {
  await visit({}, async (page) => {
    for (const name of SOME) {
      await page.setViewportSize({ width: 1280, height: 700 })
      await page.goto(`${preview.origin}/${name}`)
      assert.deepEqual(await low(page), [], `${name} at 1280`)
      await page.setViewportSize({ width: 640, height: 700 })
      await page.evaluate(() => {
        document.documentElement.style.fontSize = '200%'
      })
      assert.deepEqual(await sideways(page), [], name)
    }
  })
})

test('every stop of the keyboard can be seen, and the skip link comes first', async () => {
  await visit({}, async (page) => {
    for (const name of ['consent', 'account', 'new_client', 'events']) {
      await page.goto(`${preview.origin}/${name}`)
      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('href')), '#main')
      for (let stop = 0; stop < 60; stop++) {
        const seen = await page.evaluate(() => {
          const element = document.activeElement
          if (!element || element === document.body) return 'end'
          const { outlineStyle, outlineWidth } = getComputedStyle(element)
          const shown = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
          return shown && element.checkVisibility() ? 'seen' : element.outerHTML.slice(0, 80)
        })
        if (seen === 'end') break
        assert.equal(seen, 'seen', name)
        await page.keyboard.press('Tab')
      }
    }
  })
})

test('the keyboard of the tests stops at what cannot be seen, lies behind, or is never reached', async () => {
  const stops =
    '<style>:focus-visible { outline: 2px solid }</style><button>one</button><br><button id="two">two</button>'
  const page = await running.browser.newPage()
  const keys = new Keyboard(page)
  for (const [change, wrong] of [
    ['<style>#two { outline: none }</style>', /no ring/],
    ['<style>#two { position: fixed; top: -90px }</style>', /out of sight/],
    [
      '<style>button { position: absolute } #two { right: 70vw; top: 0 } button { top: 90px; right: 0 }</style>',
      /lies before/,
    ],
    ['<style>#two { display: none }</style>', /two is reached by no Tab|goes back/],
    ['<script>document.querySelector("#two").tabIndex = 1</script>', /goes back/],
  ] as const) {
    await page.setContent(stops + change)
    await assert.rejects(
      keys.to('two').then(() => keys.to('one')),
      wrong,
      change,
    )
  }
  await page.setContent(stops)
  await keys.to('two')
  await keys.to('one', 'Shift+Tab')
  await page.close()
})

test('5.8 CVE-2018-1000088 CVE-2025-67495 under our policy a hostile name is no element, and no script makes markup', async () => {
  // Not in `visit`, for which what this script tries is a complaint.
  const context = await running.browser.newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => /error|warning/.test(message.type()) && complaints.push(message.text()))
  page.on('dialog', (dialog) => assert.fail(dialog.message()))
  for (const name of SOME) {
    await page.goto(`${preview.origin}/${name}?data=script`)
    assert.doesNotMatch(await page.title(), /^owned$/)
    const { length, planted, written } = await page.evaluate((selector) => {
      const length = document.documentElement.outerHTML.length
      const planted = document.querySelectorAll(selector).length
      try {
        document.body.innerHTML = '<b></b>'
        return { length, planted, written: 'markup' }
      } catch (error) {
        return { length, planted, written: (error as Error).name }
      }
    }, 'img:not(.mark), [onerror], script:not([src^="/assets/"]), [style], iframe, object, base')
    assert.ok(length > 500, name)
    assert.deepEqual([planted, written], [0, 'TypeError'], name)
  }
  await page.goto(`${preview.origin}/account?data=script`)
  assert.ok((await page.textContent('h3 bdi'))!.startsWith(hostile.script!.slice(0, 40)))
  assert.deepEqual(
    complaints.filter((text) => !/requires 'TrustedHTML' assignment/.test(text)),
    [],
  )
  assert.ok(complaints.length >= SOME.length, `${complaints.length} writes were stopped`)
  await context.close()
})

test('CVE-2018-1000088 the parser of a browser makes the same elements with and without payloads', async () => {
  await visit({}, async (page) => {
    // A document without our policy, so that its parser may be called; scripts do not run in what it parses.
    await page.goto('about:blank')
    for (const [at, payload] of payloads.entries()) {
      const pages = samplePages(sampleView({ tenant: { name: payload } }), () => payload)
      // A quarter of the templates for each payload, in turn; every payload on every page is for the long suite.
      const names = THOROUGH ? PAGES : PAGES.filter((_, page) => page % 4 === at % 4)
      const sources = names.map((name) => String(pages[name]!()))
      const found = await page.evaluate((list) => {
        const wrong: string[] = []
        for (const source of list) {
          const parsed = new DOMParser().parseFromString(source, 'text/html')
          // The one template of ours is looked into, too.
          const inert = parsed.querySelector<HTMLTemplateElement>('#live > template')
          const elements = [...parsed.querySelectorAll('*'), ...(inert?.content.querySelectorAll('*') ?? [])]
          for (const element of elements) {
            if (element === inert) continue
            const planted = /^(iframe|object|embed|style|base|template|dialog|x|marquee|math|video|audio|body|html)$/
            const root = element === element.ownerDocument.documentElement || element === element.ownerDocument.body
            if (!root && planted.test(element.localName)) wrong.push(element.outerHTML)
            if (element.localName === 'script' && !element.getAttribute('src')?.startsWith('/assets/')) {
              wrong.push(element.outerHTML)
            }
            for (const { name, value } of element.attributes) {
              const link = /^(href|src|action|formaction|xlink:href|data)$/.test(name)
              if (
                /^on|^style$|^srcdoc$|["'<>=/]/.test(name) ||
                (link && /^\W*(java|vb)script|^data:(?!image\/png)/i.test(value))
              ) {
                wrong.push(`${name}=${value}`)
              }
            }
          }
        }
        return wrong
      }, sources)
      assert.deepEqual(found, [], payload)
    }
  })
})

test('B-20 a page is not shown in a frame, not even of its own origin', async () => {
  const context = await running.browser.newContext()
  const page = await context.newPage()
  await page.route(`${preview.origin}/frame`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<iframe src="/consent"></iframe>' }),
  )
  await page.goto(`${preview.origin}/frame`)
  assert.match(page.frames()[1]!.url(), /^chrome-error:/)
  await context.close()
})

test('6.2.6 6.2.7 a password is masked, may be pasted, and is filled in by what keeps passwords', async () => {
  await visit({}, async (page) => {
    await page.goto(`${preview.origin}/login`)
    await page.fill('#username', 'kept elsewhere')
    for (const key of ['A', 'C']) await page.press('#username', `ControlOrMeta+${key}`)
    let fields = 0
    for (const path of PAGES) {
      const html = await (await fetch(`${preview.origin}/${path}`)).text()
      if (!/<input[^>]* name="\w*password"/.test(html)) continue
      await page.goto(`${preview.origin}/${path}`)
      for (const field of await page.locator('input[name$="password"]:visible').all()) {
        assert.equal(await field.getAttribute('type'), 'password', path)
        assert.match((await field.getAttribute('autocomplete'))!, /^(current|new)-password$/, path)
        await field.fill('')
        await field.press('ControlOrMeta+V')
        assert.equal(await field.inputValue(), 'kept elsewhere', path)
        fields++
      }
    }
    assert.ok(fields >= 5, `${fields}`)
  })
})

test('the password can be shown with JavaScript, and the button stays away without it', async () => {
  await visit({}, async (page) => {
    await page.goto(`${preview.origin}/login`)
    const type = () => page.getAttribute('#password', 'type')
    await page.fill('#password', 'correct horse')
    await page.click('button[data-shows]')
    assert.equal(await type(), 'text')
    assert.equal(await page.getAttribute('button[data-shows]', 'aria-pressed'), 'true')
    await page.click('button[data-shows]')
    assert.equal(await type(), 'password')
  })
  await visit({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${preview.origin}/login`)
    assert.equal(await page.locator('button[data-shows]').isVisible(), false)
    assert.equal(await page.locator('#username').isVisible(), true)
  })
})

test('without JavaScript a question before an ending opens and closes, by keyboard too', async () => {
  await visit({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${preview.origin}/client`)
    const question = page.locator('#delete')
    assert.equal(await question.isVisible(), false)
    await page.locator('[popovertarget="delete"]').first().focus()
    await page.keyboard.press('Enter')
    assert.equal(await question.isVisible(), true)
    await page.keyboard.press('Escape')
    assert.equal(await question.isVisible(), false)
  })
})

test('without JavaScript a script for itself is not asked for redirect URIs', async () => {
  await visit({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${preview.origin}/new_client`)
    assert.equal(await page.locator('#redirect_uris').isVisible(), true)
    await page.check('[value="machine"]')
    assert.equal(await page.locator('#redirect_uris').isVisible(), false)
  })
})

test('recovery codes are printed in black on white, without what is only to press, whatever theme was chosen', async () => {
  await visit({ colorScheme: 'dark' }, async (page) => {
    await page.goto(`${preview.origin}/recovery_codes?theme=dark`)
    await page.emulateMedia({ media: 'print' })
    assert.equal(
      await page.evaluate(() => getComputedStyle(document.querySelector('ol code')!).color),
      'rgb(28, 29, 32)',
    )
    assert.equal(await page.locator('a, button, summary').filter({ visible: true }).count(), 0)
    const sheet = await page.locator('body').innerText()
    assert.match(sheet, /For alice at Northwind Cloud/, 'a sheet that is found says what it is for')
  })
})

test('where the system chooses the colours, what is pressed and where one stands is seen by a line; nothing moves by itself', async () => {
  await visit({ forcedColors: 'active' }, async (page) => {
    for (const name of ['clients', 'account', 'overview']) {
      await page.goto(`${preview.origin}/${name}`)
      const marked = page.locator('[aria-pressed="true"], [aria-current]')
      for (const one of await marked.all()) {
        assert.equal(await one.evaluate((element) => getComputedStyle(element).outlineStyle), 'solid', name)
      }
      assert.ok((await marked.count()) > 0)
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0)
    }
  })
})

test('cancel and allow are as large, as heavy and as near', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await visit({ colorScheme, viewport: { width: 320, height: 700 } }, async (page) => {
      await page.goto(`${preview.origin}/consent`)
      const [deny, allow] = await page.locator('[name="decision"]').evaluateAll((buttons) =>
        buttons.map((button) => {
          const { width, height, top } = button.getBoundingClientRect()
          const { fontSize, fontWeight, borderWidth } = getComputedStyle(button)
          return { width: Math.round(width), height, top, fontSize, fontWeight, borderWidth }
        }),
      )
      assert.deepEqual(deny, allow)
    })
  }
})

test('the chosen theme wins over the system, and a tenant brings its colour', async () => {
  await visit({ colorScheme: 'light' }, async (page) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    await page.goto(`${preview.origin}/account`)
    assert.equal(await ground(), 'rgb(246, 246, 244)')
    await page.goto(`${preview.origin}/account?theme=dark&accent=0a7f5a`)
    assert.equal(await ground(), 'rgb(16, 17, 19)')
    const accent = await page.evaluate(() => getComputedStyle(document.querySelector('.primary')!).backgroundColor)
    assert.notEqual(accent, 'rgb(163, 182, 255)')
  })
})
