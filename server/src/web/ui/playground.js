// Runs the flows of the playground in this tab: every request is a real one, and what it needs stands in the page.
const stage = document.querySelector('[data-flow]')
const callback = document.querySelector('[data-callback]')
const WAITING = 'sallyport-playground-waiting'
const REPEAT_MS = 5000
// These travel in a header: a broken step that sets one sends it there.
const CREDENTIALS = ['client_secret', 'access_token']

const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? 'null')
const write = (key, value) => sessionStorage.setItem(key, JSON.stringify(value))
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))
const make = (name, content, attributes = {}) => {
  const element = document.createElement(name)
  element.append(content)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

// The browser comes back with the answer of the authorization endpoint: it is the waiting flow's.
if (callback) {
  const waiting = read(WAITING)
  sessionStorage.removeItem(WAITING)
  if (waiting) {
    const run = read(`sallyport-playground-${waiting.flow}`)
    run.arrived = { step: waiting.step, broken: waiting.broken, answer: location.search.slice(1) }
    write(`sallyport-playground-${waiting.flow}`, run)
    location.replace(`${callback.dataset.callback}?flow=${encodeURIComponent(waiting.flow)}#${waiting.step}`)
  }
}

if (stage) start()

function start() {
  const flow = JSON.parse(stage.dataset.flow)
  const known = JSON.parse(stage.dataset.known)
  const words = JSON.parse(stage.dataset.words)
  const names = JSON.parse(stage.dataset.values)
  const key = `sallyport-playground-${flow.flow}`
  const run = read(key) ?? { values: {}, client: null }
  const save = () => write(key, run)
  const say = (text, holes = {}) => text.replace(/\{(\w+)\}/g, (_, name) => holes[name] ?? '')
  const placeOf = (step) => stage.querySelector(`[data-step="${step}"]`)

  const opening = stage.querySelector('[data-opening]')
  opening.hidden = false
  opening.parentElement.querySelector('.notice').remove()
  opening.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const form = event.currentTarget
    const body = new URLSearchParams(new FormData(form))
    if (run.client) body.set('former', run.client)
    const answer = await fetch(form.action, { method: 'POST', body })
    if (!answer.ok) return location.reload()
    const made = await answer.json()
    const typed = Object.fromEntries((flow.inputs ?? []).map((name) => [name, body.get(name)]))
    Object.assign(run, { values: { ...typed, ...made }, client: made.client_id, arrived: null, tones: {} })
    save()
    for (const arrow of stage.querySelectorAll('[data-arrow]')) arrow.removeAttribute('class')
    for (const place of stage.querySelectorAll('[data-outcome]')) place.replaceChildren()
    show()
  })
  for (const step of flow.steps) {
    const place = placeOf(step.step)
    place.querySelector('[data-run]').addEventListener('click', () => {
      const broken = step.breaks?.find((one) => one.break === place.querySelector('[data-break]').value)
      return perform(step, broken)
    })
  }
  show()
  for (const [step, tone] of Object.entries(run.tones ?? {})) mark(step, tone)
  if (run.arrived) arrive()

  function show() {
    const ready = run.client !== null
    for (const controls of stage.querySelectorAll('[data-controls]')) controls.hidden = !ready
    if (ready) stage.querySelector('[data-client]').textContent = say(words.client, { client_id: run.client })
  }

  /** `{name}` becomes its value; of a broken step some values are others. */
  function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')
  }

  function valuesFor(broken) {
    const values = { ...known, ...run.values, random: random() }
    for (const name of CREDENTIALS) if (broken?.set?.[name]) values[name] = fill(broken.set[name], values)
    return values
  }

  function paramsOf(params, values, broken) {
    const filled = new URLSearchParams(params.map(({ name, value }) => [name, fill(value, values)]))
    for (const [name, value] of Object.entries(broken?.set ?? {})) {
      if (value === null) filled.delete(name)
      else if (!CREDENTIALS.includes(name)) filled.set(name, fill(value, values))
    }
    return filled
  }

  async function perform(step, broken) {
    mark(step.step, 'now')
    if (step.kind === 'make') return makeValues(step)
    if (step.kind === 'person') return void window.open(fill(step.link, valuesFor()), '_blank', 'noopener')
    if (step.kind === 'browser') return leave(step, broken)
    return request(step, broken)
  }

  async function makeValues(step) {
    for (const { name, how, of } of step.makes) {
      const hash = async () => new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(run.values[of])))
      run.values[name] = how === 'random' ? random() : base64url(await hash())
    }
    save()
    tell(step, 'good', words.done, step.makes.map(({ name }) => `${name} = ${run.values[name]}`).join('\n'))
  }

  function leave(step, broken) {
    const values = valuesFor(broken)
    write(WAITING, { flow: flow.flow, step: step.step, broken: broken?.break })
    location.assign(`${fill(step.url, values)}?${paramsOf(step.query, values, broken)}`)
  }

  function arrive() {
    const { step: name, broken: called, answer } = run.arrived
    const step = flow.steps.find((one) => one.step === name)
    const broken = step.breaks?.find((one) => one.break === called)
    const params = Object.fromEntries(new URLSearchParams(answer))
    run.arrived = null
    judge(step, broken, params, `GET ${location.pathname}?\n${[...new URLSearchParams(answer)].map(([k, v]) => `  ${k}=${v}`).join('\n')}`)
    placeOf(name).scrollIntoView({ block: 'center' })
  }

  async function request(step, broken) {
    const values = valuesFor(broken)
    const url = fill(step.url, values)
    const headers = {}
    if (step.authorization === 'client') {
      const encode = (text) => encodeURIComponent(text)
      headers.Authorization = `Basic ${btoa(`${encode(values.client_id)}:${encode(values.client_secret)}`)}`
    }
    if (step.authorization === 'bearer') headers.Authorization = `Bearer ${values.access_token}`
    const body = step.method === 'POST' ? paramsOf(step.body ?? [], values, broken) : undefined
    if (body) headers['Content-Type'] = 'application/x-www-form-urlencoded'
    const sent = { method: step.method, url, headers, body }
    for (;;) {
      let answer
      try {
        answer = await fetch(url, { method: step.method, headers, body, credentials: 'omit', cache: 'no-store' })
      } catch {
        return tell(step, 'danger', words.failed, writeRequest(sent))
      }
      const text = await answer.text()
      let json = {}
      try {
        json = JSON.parse(text)
      } catch {}
      const shown = writeAnswer(answer, text, json)
      if (step.again_on?.includes(json.error) && !broken) {
        tell(step, 'note', say(words.waiting, { n: REPEAT_MS / 1000 }), writeRequest(sent), shown, sent)
        await new Promise((resolve) => setTimeout(resolve, REPEAT_MS))
        continue
      }
      return judge(step, broken, answer.ok ? json : { error: String(answer.status), ...json }, writeRequest(sent), shown, sent)
    }
  }

  /** Says whether it went as it must, and keeps what later steps use. */
  function judge(step, broken, got, ...shown) {
    if (broken) {
      if (got.error === broken.error) tell(step, 'good', say(words.refused_rightly, got), ...shown)
      else if (got.error) tell(step, 'danger', say(words.refused_otherwise, { error: got.error, expected: broken.error }), ...shown)
      else tell(step, 'danger', words.not_refused, ...shown)
      return
    }
    if (got.error) {
      tell(step, 'danger', say(words.wrong, { what: [got.error, got.error_description].filter(Boolean).join(': ') }), ...shown)
      return
    }
    for (const [name, expected] of Object.entries(step.checks ?? {})) {
      const must = typeof expected === 'string' ? fill(expected, valuesFor()) : expected
      if (got[name] !== must) return tell(step, 'danger', say(words.wrong, { what: name }), ...shown)
    }
    const keeps = Array.isArray(step.keeps) ? Object.fromEntries(step.keeps.map((name) => [name, name])) : (step.keeps ?? {})
    for (const [name, member] of Object.entries(keeps)) if (got[member] !== undefined) run.values[name] = got[member]
    save()
    tell(step, 'good', words.done, ...shown)
  }

  function writeRequest({ method, url, headers, body }) {
    const { pathname, search, host } = new URL(url)
    const lines = [`${method} ${pathname}${search}`, `Host: ${host}`, ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`)]
    return body ? `${lines.join('\n')}\n\n${[...body].map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('\n&')}` : lines.join('\n')
  }

  function writeAnswer(answer, text, json) {
    const shown = ['content-type', 'cache-control', 'www-authenticate'].flatMap((name) => {
      const value = answer.headers.get(name)
      return value === null ? [] : [`${name}: ${value}`]
    })
    const body = Object.keys(json).length > 0 ? JSON.stringify(json, null, 2) : text
    return [`${answer.status} ${answer.statusText}`, ...shown, '', body].join('\n')
  }

  function tell(step, tone, sentence, sent, answered, call) {
    mark(step.step, tone)
    const parts = [make('p', sentence, { class: `outcome ${tone}` })]
    if (sent !== undefined) parts.push(...exchange(answered === undefined ? '' : words.request, sent))
    if (answered !== undefined) parts.push(...exchange(words.answer, answered))
    if (call) parts.push(copies(call))
    parts.push(...decode(`${sent}\n${answered}`))
    placeOf(step.step).querySelector('[data-outcome]').replaceChildren(...parts)
  }

  function exchange(title, text) {
    const pre = make('pre', '', { dir: 'ltr', tabindex: '0', 'aria-label': title || words.answer })
    pre.append(...paint(text))
    return title === '' ? [pre] : [make('h3', title), pre]
  }

  /** Each value wears its colour wherever it stands, also as it is written in a form. */
  function paint(text) {
    const marks = names.flatMap((name, index) => {
      const value = run.values[name]
      if (typeof value !== 'string' || value.length < 4) return []
      return [...new Set([value, encodeURIComponent(value)])].map((spelt) => ({ spelt, name, index }))
    })
    marks.sort((a, b) => b.spelt.length - a.spelt.length)
    const parts = []
    for (let rest = text; rest !== ''; ) {
      const found = marks
        .map((one) => ({ ...one, at: rest.indexOf(one.spelt) }))
        .filter(({ at }) => at >= 0)
        .reduce((first, one) => (first === undefined || one.at < first.at ? one : first), undefined)
      if (!found) {
        parts.push(rest)
        break
      }
      parts.push(rest.slice(0, found.at), make('span', found.spelt, { class: `value v${found.index % 8}`, title: found.name }))
      rest = rest.slice(found.at + found.spelt.length)
    }
    return parts
  }

  /** JWTs are read here in the browser: no token goes anywhere for it. */
  function decode(text) {
    return Object.entries(run.values).flatMap(([name, value]) => {
      if (!/^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(value) || !text.includes(value)) return []
      const open = (part) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))))
      const [header, claims] = value.split('.', 2).map(open)
      const details = make('details', make('summary', say(words.decoded, { name })))
      details.append(make('pre', `${JSON.stringify(header, null, 2)}\n${JSON.stringify(claims, null, 2)}`, { dir: 'ltr', tabindex: '0' }))
      return [details]
    })
  }

  function copies({ method, url, headers, body }) {
    const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`
    const parts = ['curl', quote(url)]
    for (const [name, value] of Object.entries(headers)) if (name !== 'Content-Type') parts.push('-H', quote(`${name}: ${value}`))
    for (const [name, value] of body ?? []) parts.push('--data-urlencode', quote(`${name}=${value}`))
    const script = `const answer = await fetch(${JSON.stringify(url)}, {\n  method: ${JSON.stringify(method)},\n  headers: ${JSON.stringify(headers)},${body ? `\n  body: new URLSearchParams(${JSON.stringify([...body])}),` : ''}\n})\nconsole.log(answer.status, await answer.text())`
    const row = make('div', '', { class: 'actions start' })
    for (const [label, text] of [
      [words.curl, parts.join(' ')],
      [words.script, script],
    ]) {
      const copy = make('button', label, { type: 'button', class: 'button plain', 'data-text': text })
      copy.addEventListener('click', async () => {
        await navigator.clipboard.writeText(text)
        copy.textContent = words.copied
      })
      row.append(copy)
    }
    return row
  }

  function mark(step, tone) {
    run.tones = { ...run.tones, [step]: tone }
    save()
    for (const arrow of stage.querySelectorAll('[data-arrow]')) {
      if (arrow.dataset.arrow === step) arrow.setAttribute('class', tone)
    }
  }
}
