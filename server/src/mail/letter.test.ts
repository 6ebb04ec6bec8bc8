import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain, writeLetter } from './letter.ts'

test('1.2.1 CVE-2024-41953 whatever stands in a letter is text in it, and nothing else', () => {
  const hostile = `<img src=x onerror=alert(1)>"'&</p></body>`
  const url = 'https://id.example/x?token=a&b="><script>alert(1)</script>'
  const { text, html } = writeLetter({
    ...{
      lang: 'en',
      dir: 'ltr',
      subject: hostile,
      paragraphs: [hostile],
      link: { url, label: hostile },
      closing: [hostile],
    },
  })
  assert.ok(!html.includes('<img') && !html.includes('<script'))
  assert.equal(html.match(/&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/g)?.length, 4)
  assert.equal(html.match(/<\/body>/g)?.length, 1)
  assert.ok(text.includes(hostile) && text.includes(url), 'plain text needs no escaping')
})

test('1.2.5 a name brings no line of its own and no invisible character into a letter', () => {
  assert.equal(plain('a\r\nBcc: all@example.test'), 'a Bcc: all@example.test')
  assert.equal(plain('evil\u202Etxt.exe\u0000\u200B'), 'evil txt.exe')
  assert.equal(plain('  é́ '), 'é́'.normalize('NFC'))
  assert.equal(plain('x'.repeat(101)), `${'x'.repeat(99)}…`)
  assert.equal([...plain('😀'.repeat(200))].length, 100)
})
