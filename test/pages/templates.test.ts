import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Catalogue } from '../../server/src/languages/message.ts'
import { renderReveal } from '../../server/src/web/admin/outbound/templates/connection.ts'
import { renderConsent } from '../../server/src/web/pages/templates/consent.ts'
import { brandPath, findAsset, stylesheet } from '../../server/src/web/ui/assets.ts'
import { asText, en } from '../../server/src/web/ui/text/en.ts'
import { hostile } from './hostile.ts'
import { payloads } from './payloads.ts'
import { LANGUAGES, sampleView } from './sample_view.ts'
import { samplePages } from './samples.ts'

const view = sampleView()
const benign = new Map(Object.entries(samplePages(view)).map(([page, render]) => [page, String(render())]))

/** One tag of a page, its attributes as written. */
interface Tag {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
}

/** Reads a page by a grammar that is stricter than HTML's: anything unquoted or unescaped fails. */
function readTags(html: string): Tag[] {
  const tags: Tag[] = []
  const piece = /(?:<(!doctype html|\/?[a-z][a-z0-9]*)((?: [a-zA-Z0-9-]+(?:="[^"<>]*")?)*)\/?>|[^<>]+)/gy
  let end = 0
  for (const [text, name, list] of html.matchAll(piece)) {
    end += text.length
    if (name === undefined || name.startsWith('/')) continue
    const found = [...list!.matchAll(/ ([a-zA-Z0-9-]+)(?:="([^"]*)")?/g)]
    const attributes = new Map(found.map(([, attribute, value]) => [attribute!, readEntities(value ?? '')]))
    assert.equal(attributes.size, found.length, `an attribute stands twice in ${text}`)
    tags.push({ name, attributes })
  }
  assert.equal(end, html.length, `not understood: ${html.slice(end, end + 80)}`)
  return tags
}

function readEntities(text: string): string {
  const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => characters[name]!)
}

/** What stands on each page without anything hostile, in each language. */
const calm = LANGUAGES.all.map(({ tag: lang, dir, text }) => {
  const pages = Object.entries(samplePages(sampleView({ lang, dir, text })))
  return new Map(pages.map(([page, render]) => [page, readTags(String(render()))]))
})
const allTags = calm.flatMap((pages) => [...pages.values()].flat())
const knownNames = new Set(allTags.map((tag) => tag.name))
const knownAttributes = new Set(allTags.flatMap((tag) => [...tag.attributes.keys()].map((key) => `${tag.name} ${key}`)))

test('1.2.3 there are at least 80 payloads, and no page has a script, style or event of its own making', () => {
  assert.ok(new Set(payloads).size >= 80)
  for (const { name, attributes } of allTags) {
    assert.notEqual(name, 'style')
    if (name === 'script') assert.match(attributes.get('src') ?? '', /^\/assets\/[a-z_]+-[0-9a-f]{12}\.js$/)
    for (const key of attributes.keys()) assert.doesNotMatch(key, /^(on|style$|srcdoc$)/)
  }
})

const LINKS = new Set(['href', 'action', 'src', 'formaction'])
const COUNTED = ['script', 'link', 'meta', 'form', 'input', 'button', 'select', 'textarea', 'iframe', 'h1'] as const
const countTags = (tags: ReturnType<typeof readTags>) =>
  COUNTED.map((name) => `${name} ${tags.filter((tag) => tag.name === name).length}`).join(', ')

// A quarter of the pages for each payload, in turn, and of the languages one; the long suite takes all by all.
const THOROUGH = process.env['SALLYPORT_TEST_EVERY_PAGE'] !== undefined

/** The pages with a payload in each of their fields. */
function attackPages(payload: string, at: number, { tag: lang, dir, text }: (typeof LANGUAGES.all)[number]) {
  const tenant = { name: payload, logo_uri: payload, accent: payload }
  const pages = samplePages(sampleView({ lang, dir, text, tenant, csrf_token: payload }), () => payload)
  return Object.entries(pages)
    .filter((_, page) => THOROUGH || page % 4 === at % 4)
    .map(([page, render]) => ({ page, tags: readTags(String(render())) }))
}

const isOurs = (key: string, url: string) =>
  /^(about:invalid$|\/(?![/\\])|#|\?|https?:\/\/[^/\\]|otpauth:\/\/totp\/)/.test(url) &&
  (key !== 'src' || /^(\/|data:image\/png;)/.test(url))

test('CVE-2018-1000088 CVE-2024-28855 CVE-2026-33525 CVE-2026-67333 in no field of any page, in any language, a payload makes an element, an attribute, a link or a target', () => {
  const before = calm.map((pages) => new Map([...pages].map(([page, tags]) => [page, countTags(tags)])))
  const languages = LANGUAGES.all.keys().toArray()
  const attacks = payloads.flatMap((payload, at) => {
    const met = THOROUGH ? languages : [at % languages.length]
    return met.map((language) => ({ payload, at, language }))
  })
  for (const { payload, at, language } of attacks) {
    for (const { page, tags } of attackPages(payload, at, LANGUAGES.all[language]!)) {
      // Millions of attributes: what is to be said of one is made only where it is wrong.
      const wrong = tags.flatMap(({ name, attributes }) => [
        ...(knownNames.has(name) ? [] : [`<${name}>`]),
        ...[...attributes]
          .filter(([key, url]) => !knownAttributes.has(`${name} ${key}`) || (LINKS.has(key) && !isOurs(key, url)))
          .map(([key, value]) => `${key}="${value}"`),
      ])
      if (wrong.length > 0) assert.fail(`${page}: ${wrong} by ${payload}`)
      if (countTags(tags) !== before[language]!.get(page)) assert.fail(`${page}: ${countTags(tags)} by ${payload}`)
    }
  }
})

test('CVE-2016-4977 CVE-2018-1260 what looks like an expression of a template is shown as it was written', () => {
  const expressions = [
    '${7777*11}',
    '#{7777*11}',
    '{{7777*11}}',
    '<%= 7777*11 %>',
    '{n}',
    'T(java.lang.Runtime)',
    '%{7777*11}',
  ]
  for (const text of expressions) {
    const shown = text.replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    for (const [page, render] of Object.entries(samplePages(sampleView(), () => text))) {
      const html = String(render())
      assert.doesNotMatch(html, /85547/, `${page}: ${text}`)
      if (/^(consent|error|device|account)/.test(page)) assert.ok(html.includes(shown), `${page}: ${text}`)
    }
  }
})

test('whatever is hostile or unusual in a name still makes a whole page', () => {
  for (const [kind, text] of Object.entries(hostile)) {
    for (const [page, render] of Object.entries(samplePages(sampleView({ tenant: { name: text } }), () => text))) {
      const html = String(render())
      readTags(html)
      // What is edited or sent back stays as it is.
      assert.doesNotMatch(
        html.replace(/ (value|name|data-options|data-known)="[^"]*"|<textarea.*?<\/textarea>/gs, ''),
        /[\u202a-\u202e\u2066-\u2069]/,
        `${page}: ${kind}`,
      )
    }
  }
})

test('B-03 no page names another origin in anything it loads, links or posts to', () => {
  for (const [page, html] of benign) {
    for (const { attributes } of readTags(html)) {
      for (const key of ['href', 'action', 'src', 'formaction']) {
        const url = attributes.get(key)
        if (url !== undefined)
          assert.match(url, /^(\/(?!\/)|#|data:image\/png;base64,|otpauth:\/\/totp\/)/, `${page}: ${key}`)
      }
    }
  }
})

test('5.7 every form that posts carries the token against request forgery, and no other form does', () => {
  for (const [page, html] of benign) {
    for (const [, head, body] of html.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)) {
      // What a redirect broker hands over goes to another server, and proves itself by its signature.
      const posts = head!.includes('method="post"') && page !== 'broker_carry'
      const carries = body!.includes('<input type="hidden" name="csrf_token" value="csrf-5b1f">')
      assert.equal(carries, posts, page)
    }
  }
})

test('every page has a language, a direction, one heading of the first level, and no id twice', () => {
  for (const [page, html] of benign) {
    assert.match(html, /<html lang="en" dir="ltr">/, page)
    const tags = readTags(html)
    assert.equal(tags.filter((tag) => tag.name === 'h1').length, 1, page)
    const ids = tags.map((tag) => tag.attributes.get('id')).filter((id) => id !== undefined)
    assert.equal(new Set(ids).size, ids.length, page)
    for (const { attributes } of tags) {
      for (const key of ['aria-describedby', 'aria-labelledby', 'for', 'form', 'popovertarget']) {
        for (const id of attributes.get(key)?.split(' ') ?? []) assert.ok(ids.includes(id), `${page}: ${key} ${id}`)
      }
    }
  }
})

test('the theme, the language and the path of the issuer reach every page', () => {
  const text = { theme: 'dark', lang: 'ar', dir: 'rtl', base: '/hub' } as const
  for (const [page, render] of Object.entries(
    samplePages(sampleView(text), (value) => value.replace(/^\//, '/hub/')),
  )) {
    const html = String(render())
    assert.match(html, /<html lang="ar" dir="rtl" data-theme="dark">/, page)
    assert.doesNotMatch(html, /(?:href|action|src)="\/(?!hub\/)/, page)
  }
})

test('sign-in, consent and device each paint from under 15 kB in every language, uncompressed and with their styles', () => {
  for (const { tag: lang, dir, text } of LANGUAGES.all) {
    const tenant = { name: 'Northwind Cloud', accent: '#0a7f5a', logo_uri: '/assets/logo-0123456789abcdef01234567.png' }
    // Pictures are loaded beside: the tenant's, and the client's.
    const pages = samplePages(sampleView({ lang, dir, text, tenant }))
    const styles = [stylesheet, findAsset(brandPath(tenant.accent)!)!].map(({ body }) => body)
    for (const page of ['login', 'consent', 'enter_code', 'device_question']) {
      const bytes = [String(pages[page]!()), ...styles].map((part) => Buffer.byteLength(part))
      const sum = bytes.reduce((all, one) => all + one, 0)
      assert.ok(sum < 15_000, `${page} in ${lang}: ${bytes.join(' + ')}`)
    }
  }
})

/** A catalogue whose every sentence is marked. */
function markSentences(catalogue: Catalogue): Catalogue {
  const mark = ([key, value]: [string, unknown]): [string, string | Catalogue] =>
    typeof value === 'string' ? [key, `⟦${value}⟧`] : [key, markSentences(value as Catalogue)]
  return Object.fromEntries(Object.entries(catalogue).map(mark))
}

test('every word that people read comes from the catalogue', () => {
  const marked = sampleView({ text: asText(markSentences(en)), tenant: { name: '§' } })
  for (const [page, render] of Object.entries(samplePages(marked, () => '§'))) {
    const html = String(render())
    const attributes = readTags(html.replace(/<time[^>]*>/g, '<time>')).flatMap(({ attributes }) =>
      ['aria-label', 'title', 'alt', 'placeholder', 'data-label'].map((key) => attributes.get(key) ?? ''),
    )
    // Names and values on the wire are no words: they stand as code, or as what a form sends. Nor are documents, and a
    // language is called what those who speak it call it.
    const said = html
      .replace(/<time.*?<\/time>/gs, '')
      .replace(/<(?:button|span)[^>]* lang="[a-z]+">[^<]*/g, '')
      .replace(
        /<code[^>]*>[\w.:/{}-]+<\/code>|<cite[^>]*>[^<]*<\/cite>|<code[^>]*>[[{][^<]*<\/code>|<dt><bdi.*?<\/dt>|<text class="what".*?<\/text>|<title>\w+<\/title><\/circle>|<option value="([^"]+)"[^>]*>\1<\/option>/g,
        '',
      )
    let rest = [said, ...attributes].join('\n').replace(/<[^>]*>/g, '')
    for (let before = ''; before !== rest; ) {
      before = rest
      rest = rest.replace(/⟦[^⟦⟧]*⟧/g, '')
    }
    assert.doesNotMatch(rest, /\p{L}{2,}/u, page)
  }
})

test('10.7.2 V-12 consent shows what, to whom, for how long', () => {
  const html = benign.get('consent')!
  const text = html.replace(/<[^>]*>/g, '\n')
  for (const shown of [
    'Acme Notes',
    'Acme Inc.',
    'Verified',
    'notes-web',
    'notes.acme.example',
    'See your name and picture',
    'See your e-mail address',
    'Write and delete notes',
    'Add tasks to your lists',
    'Keep working when you are not signed in',
    'Northwind API',
    'https://api.northwind.example/',
    'When you take it back',
    'alice',
    'alice@gmail.example',
    'See your calendar',
  ]) {
    assert.ok(text.includes(shown), shown)
  }
  assert.match(benign.get('consent_small')!, /Not verified/)
  assert.match(benign.get('consent_small')!, /When you sign out/)
})

test('10.7.2 a client without a name that shows anything is named by its client_id', () => {
  const client = { client_id: 's6BhdRkqt3', client_name: '\u200b\u202e ', verified: false }
  const data = { action: '/consent', switch_action: '/login/switch', user: { username: 'alice' } }
  const rest = { scopes: [], resources: [], connectors: [], offline: false }
  const html = String(renderConsent(view, { ...data, ...rest, client, redirect_uri: 'https://a.example/' }))
  assert.match(html, /<h1>Allow <strong><bdi>s6BhdRkqt3<\/bdi>/)
})

test('T-04 an optional scope comes unticked, and what is new is marked', () => {
  const html = benign.get('consent')!
  assert.match(html, /<input type="checkbox" name="scope\.3" value="tasks\.write"><span>/)
  assert.equal(html.match(/>New<\/span>/g)!.length, 2)
})

test('M-07 a client on this computer gets a warning, and the host is always shown', () => {
  const html = benign.get('consent_loopback')!
  assert.match(html, /Any program on this computer can call itself/)
  assert.match(html, /localhost:33418/)
  assert.doesNotMatch(benign.get('consent')!, /Any program on this computer/)
})

test('the contract of the forms: username and password, decision=allow and decision=deny', () => {
  const login = benign.get('login')!
  assert.match(login, /<input id="username" name="username" type="text" autocomplete="username" required/)
  assert.match(login, /<input id="password" name="password" type="password" autocomplete="current-password" required/)
  assert.match(login, /to continue to <strong><bdi>Acme Notes/)
  // Cancel stands first: what Enter does in a field of the form must not be to allow.
  assert.match(benign.get('consent')!, /name="decision" value="deny".*name="decision" value="allow"/)
})

test('an error is text, tied to its field', () => {
  const html = benign.get('login_wrong')!
  assert.match(html, /name="password"[^>]* aria-describedby="password-error" aria-invalid="true"/)
  assert.match(html, /<p class="wrong" id="password-error">The username or the password is not right\./)
  assert.doesNotMatch(html, /name="password"[^>]* value=/)
  assert.match(benign.get('login_too_many')!, /role="alert">.*Try again in 12 minutes\./s)
})

test('what is shown to be copied is shown whole, however long a token is', () => {
  const token = 'x'.repeat(4000)
  const answer = { access_token: token, token_type: 'Bearer' }
  const named = { connection_id: 'c1', provider_name: 'Acme', account_label: 'alice' }
  const html = String(renderReveal(view, { ...named, answer, script: { api: 'curl' } }))
  assert.ok(html.includes(`>${token}<`))
})

test('the pages of an account lead to each other, one of them is where one stands, and a theme comes back to it', () => {
  const paths = { account: '', security: '/security', activity: '/activity', own_data: '/data' }
  for (const [page, below] of Object.entries(paths)) {
    const [html, here] = [benign.get(page)!, `/account${below}`]
    const [tabs] = /<nav class="tabs".*?<\/nav>/s.exec(html)!
    const links = [...tabs.matchAll(/<a href="\/account([^"]*)"( aria-current="page")?>/g)]
    assert.deepEqual(
      links.map(([, to, current]) => [to, current !== undefined]),
      Object.values(paths).map((to) => [to, to === below]),
    )
    assert.match(html, new RegExp(`action="/theme"><input type="hidden" name="return_to" value="${here}">`), page)
  }
})

test('all other ways to sign in stand below one line, and each says what it is', () => {
  const html = benign.get('login_every_way')!
  const [, others] = html.split('<p class="or">')
  assert.equal(html.split('<p class="or">').length, 2)
  for (const way of ['Sign in with a passkey', 'E-mail me a link instead', 'Continue with', 'Continue with']) {
    assert.ok(others!.includes(way), way)
  }
})

test('an account that needs its owner cannot be picked, and beside it stands what repairs it', () => {
  assert.match(
    benign.get('consent')!,
    /<div class="row"><label class="choice"><input type="radio" name="connection\.google" value="c2" disabled>.*?<\/label><a class="add" href="\/connect\/google\?connection_id=c2">Reconnect<span class="unseen"> <bdi>alice@work\.example/,
  )
})

test('an address that is confirmed is not asked for again, one that is not can be sent a link at once', () => {
  const field = (page: string) => /<label for="email">([^<]*)<\/label><input id="email"[^>]*>/.exec(benign.get(page)!)!
  const [confirmed, not_yet] = [field('security'), field('security_last')]
  assert.equal(confirmed[1], 'New address')
  assert.doesNotMatch(confirmed[0], / value=/)
  assert.equal(not_yet[1], 'Address')
  assert.match(not_yet[0], / value="alice@example\.com"/)
})

test('something that ends something says what before it does', () => {
  const html = benign.get('client')!
  assert.match(html, /popovertarget="delete">Delete</)
  assert.match(
    html,
    /id="delete" popover role="dialog".*412 grants of its users end\..*action="\/admin\/client\/delete"/s,
  )
})
