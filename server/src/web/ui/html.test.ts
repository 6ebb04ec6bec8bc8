import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attrs, type Child, href, html, source } from './html.ts'

const ATTACK = `"><script>alert('1')</script>&amp;`
const ESCAPED = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;'

test('data between tags and in attributes is escaped', () => {
  assert.equal(String(html`<p title="${ATTACK}">${ATTACK}</p>`), `<p title="${ESCAPED}">${ESCAPED}</p>`)
})

test('markup nests without being escaped twice, lists are joined, nothing is written for nothing', () => {
  const items = ['a', '<'].map((item) => html`<li>${item}</li>`)
  assert.equal(String(html`<ul>${items}${[false, null, undefined, '']}</ul>${0}`), '<ul><li>a</li><li>&lt;</li></ul>0')
})

test('an object that only looks like markup is refused', () => {
  for (const forged of [
    { isEscaped: true, toString: () => '<b>' },
    { '#text': '<b>' },
    new String('<b>'),
    true,
    () => '',
  ]) {
    assert.throws(() => html`<p>${forged as unknown as Child}</p>`, TypeError)
  }
})

test('attrs() writes names as they are, escapes values, and leaves out what is false or undefined', () => {
  const list = attrs({ checked: true, disabled: false, title: undefined, value: ATTACK, rows: 3 })
  assert.equal(String(html`<input${list}>`), `<input checked value="${ESCAPED}" rows="3">`)
  assert.throws(() => attrs({ 'x onload': 'a' }), TypeError)
})

test('a hole where no escaping is right is an error of the template', () => {
  const hole = 'a'
  const wrong = [
    () => html`<script>${hole}</script>`,
    () => html`<style>${hole}</style>`,
    () => html`<p title=${hole}></p>`,
    () => html`<p title='${hole}'></p>`,
    () => html`<p onclick="${hole}"></p>`,
    () => html`<p style="${hole}"></p>`,
    () => html`<iframe srcdoc="${hole}"></iframe>`,
    () => html`<meta http-equiv="${hole}">`,
    () => html`<a href="https://${hole}/">x</a>`,
    () => html`<${hole}>`,
    () => html`<!-- ${hole} -->`,
    () => html`<p ${hole}></p>`,
    () => html`<p ${html`x`}></p>`,
    () => html`<p title="${hole}`,
    () => html`<p>${attrs({ title: hole })}</p>`,
    () => html`<p title="${attrs({ title: hole })}"></p>`,
    () => html`<p${attrs({ onclick: hole })}></p>`,
  ]
  for (const template of wrong) assert.throws(template, TypeError, template.toString())
})

test('CVE-2026-67333 CVE-2023-6717 1.2.2 a URL attribute takes no scheme but http and https, wherever the data comes from', () => {
  const refused = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    '\u0001javascript:alert(1)',
    'java\nscript:alert(1)',
    'java\tscript:alert(1)',
    'javascript\u0000:alert(1)',
    'vbscript:x',
    'data:text/html,<script>alert(1)</script>',
    'data:image/svg+xml,<svg onload=alert(1)>',
    'blob:https://a.example/1',
    'file:///etc/passwd',
    'filesystem:https://a.example/x',
    'about:blank',
    'intent://a#Intent;end',
    'com.example.app:/callback',
    '//evil.example/',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    'https:evil.example',
    'https:/\\evil.example',
    'https://',
    'https://?',
    'evil.example',
    'login',
    '',
  ]
  for (const url of refused) {
    assert.equal(href(url), undefined, url)
    for (const template of [
      html`<a href="${url}">x</a>`,
      html`<form action="${url}"></form>`,
      html`<button formaction="${url}"></button>`,
      html`<img src="${url}">`,
      html`<a${attrs({ href: url })}>x</a>`,
    ]) {
      assert.match(String(template), /="about:invalid"/, url)
    }
  }
})

test('a link may lead to http, https, and paths, queries and fragments of this server', () => {
  for (const url of ['https://a.example/x?y=1#z', 'http://127.0.0.1:5000', '/', '/a/b?c=d', '?page=2', '#main']) {
    assert.equal(href(url), url)
  }
  assert.equal(String(html`<a href="${'/a?b=1&c="'}">x</a>`), '<a href="/a?b=1&amp;c=&quot;">x</a>')
})

test('5.8 a page loads paths of this server and data URLs of raster pictures, never SVG, never from third parties', () => {
  assert.equal(source('/assets/a.png'), '/assets/a.png')
  assert.equal(source('data:image/png;base64,iVBORw0='), 'data:image/png;base64,iVBORw0=')
  for (const url of [
    'data:image/svg+xml;base64,PHN2Zz4=',
    'data:image/png,x',
    'data:image/png;base64,<',
    'data:,x',
    'https://cdn.example/a.png',
  ]) {
    assert.equal(source(url), undefined)
  }
})
