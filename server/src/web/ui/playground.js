// Runs the flows of the playground in this tab: every request is a real one, and what it needs stands in the page.
import { at, fill, fillCode, fillForm, readHeader, readJson, writeAnswer, writeCurl, writeRequest } from './playground_http.js'
import { halfHash, hash, isSignedBy, makeKey, openJwt, publicPart, random, thumbprint } from './playground_keys.js'
import { FORM, prepareIn } from './playground_request.js'
import { copy, make, writeIn } from './playground_show.js'

const stage = document.querySelector('[data-flow]')
const callback = document.querySelector('[data-callback]')
const WAITING = 'sallyport-playground-waiting'
const WHOSE = 'sallyport-playground-whose'
// What is added to the interval each time that a device has asked too soon (RFC 8628 section 3.5).
const SLOWER_S = 5

// Nobody needs longer from a sign-in to its check.
const LATELY_MS = 300_000

const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? 'null')
const write = (key, value) => sessionStorage.setItem(key, JSON.stringify(value))
// The browser comes back with an answer: it is the waiting flow's, and leaves the address at once.
if (callback) {
  const waiting = read(WAITING)
  sessionStorage.removeItem(WAITING)
  if (waiting) {
    const run = read(`sallyport-playground-${waiting.flow}`)
    const answer = location.pathname + location.search
    run.arrived = { step: waiting.step, broken: waiting.broken, sent: waiting.sent, answer }
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
  // Of somebody who was signed in here before nothing is shown, and nothing kept.
  if (read(WHOSE) !== stage.dataset.whose) sessionStorage.clear()
  write(WHOSE, stage.dataset.whose)
  const run = read(key) ?? { values: {}, client: null }
  const say = (text, holes = {}) => text.replace(/\{(\w+)\}/g, (_, name) => holes[name] ?? '')
  const { exchange, paint, decode } = writeIn({ names, words, valuesOf: () => run.values })
  const { valuesFor, prepare } = prepareIn(() => ({ ...known, ...run.values }))
  const placeOf = ({ step }) => stage.querySelector(`[data-step="${step}"]`)
  const save = () => {
    write(key, run)
    for (const step of flow.steps) showCode(step)
  }

  const opening = stage.querySelector('[data-opening]')
  opening.hidden = false
  opening.parentElement.querySelector('.notice').remove()
  opening.querySelector('form').addEventListener('submit', begin)
  for (const step of flow.steps) {
    const place = placeOf(step)
    place.querySelector('[data-run]').addEventListener('click', () => perform(step, brokenOf(step)))
    place.querySelector('[data-break]')?.addEventListener('change', () => showCode(step))
    for (const details of place.querySelectorAll('[data-as]')) {
      details.addEventListener('toggle', () => showCode(step))
      details.querySelector('button').addEventListener('click', async () => {
        // A proof or an assertion in it is good for a minute: it is made anew.
        await showCode(step)
        await copy(details, words)
      })
    }
  }
  show()
  for (const [step, tone] of Object.entries(run.tones ?? {})) paintArrow(step, tone)
  if (run.arrived) arrive()

  async function begin(event) {
    event.preventDefault()
    const form = event.currentTarget
    const button = form.querySelector('[data-start]')
    if (button.ariaBusy === 'true') return
    button.ariaBusy = 'true'
    const body = new URLSearchParams(new FormData(form))
    if (run.client) body.set('former', run.client)
    const own = flow.key ? { [flow.key.name]: await makeKey() } : {}
    if (flow.key) body.set('jwk', JSON.stringify(publicPart(own[flow.key.name])))
    const answer = await fetch(form.action, { method: 'POST', body }).catch(() => null)
    button.ariaBusy = 'false'
    if (!answer || answer.status === 422) {
      stage.querySelector('[data-client]').textContent = answer ? words.no_document : words.failed
      return
    }
    // Whoever has to sign in anew does so, and comes back here.
    if (answer.redirected) return location.assign(answer.url)
    if (!answer.ok) return location.reload()
    const made = await answer.json()
    const typed = Object.fromEntries((flow.inputs ?? []).map((name) => [name, body.get(name)]))
    if (typed.path !== undefined) typed.path = typed.path.replace(/^\/*/, '/')
    Object.assign(run, { values: { ...typed, ...own, ...made }, client: made.client_id, arrived: null, tones: {}, done: [] })
    save()
    for (const arrow of stage.querySelectorAll('[data-arrow]')) arrow.removeAttribute('class')
    for (const place of stage.querySelectorAll('[data-outcome], [data-told]')) place.replaceChildren()
    show()
  }

  function show() {
    const ready = run.client !== null
    for (const controls of stage.querySelectorAll('[data-controls]')) controls.hidden = !ready
    for (const step of flow.steps) showCode(step)
    if (ready) stage.querySelector('[data-client]').textContent = say(words.client, { client_id: run.client })
  }

  /** The number of the first step that brings what this one uses, and that has not run. */
  function missingFor(step) {
    const needs = Object.entries(JSON.parse(placeOf(step).dataset.needs))
    const missing = needs.flatMap(([name, number]) => (name in run.values ? [] : [number]))
    return missing.length === 0 ? undefined : Math.min(...missing)
  }

  function brokenOf(step) {
    const chosen = placeOf(step).querySelector('[data-break]')?.value
    return step.breaks?.find((one) => one.break === chosen)
  }

  async function perform(step, broken) {
    const button = placeOf(step).querySelector('[data-run]')
    // Not disabled: whoever uses the keyboard stays where they are.
    if (button.ariaBusy === 'true') return
    const first = missingFor(step)
    if (first !== undefined) return tell(step, 'note', say(words.first, { n: first }))
    button.ariaBusy = 'true'
    mark(step, 'now')
    try {
      if (step.kind === 'make') await makeValues(step)
      else if (step.kind === 'check') await inspect(step, broken)
      else if (step.kind === 'show') tell(step, 'good', words.done)
      else if (step.kind === 'person') window.open(fill(step.link, await valuesFor(step)), '_blank', 'noopener')
      else if (step.certificate) await readPasted(step, broken)
      else if (step.kind === 'browser') await leave(step, broken)
      else await request(step, broken)
    } catch (error) {
      tell(step, 'danger', say(words.wrong, { what: String(error.message) }))
    } finally {
      button.ariaBusy = 'false'
    }
  }

  async function makeValues(step) {
    for (const { name, how, of } of step.makes) {
      if (how === 'S256') run.values[name] = await hash(run.values[of])
      else if (how === 'thumbprint') run.values[name] = await thumbprint(run.values[of])
      else run.values[name] = how === 'key' ? await makeKey() : random()
    }
    const shown = ({ name, how }) => (how === 'key' ? JSON.stringify(publicPart(run.values[name])) : run.values[name])
    tell(step, 'good', words.done, step.makes.map((one) => `${one.name} = ${shown(one)}`).join('\n'))
  }

  /** Reads a JWT as an app must: each check is said, and the first that fails is the refusal. */
  async function inspect(step, broken) {
    const values = await valuesFor(step, broken)
    const { header, claims } = openJwt(values[step.token] ?? '')
    const lines = []
    let failed
    for (const { check, how, value } of step.checks) {
      const expected = how === 'half_hash' ? await halfHash(header.alg, values[value]) : fill(value ?? '', values)
      const got = how === 'header' ? header[check] : at(claims, check)
      const holds =
        how === 'signature'
          ? await isSignedBy(values[step.token], await (await fetch(values.jwks_uri)).json())
          : how === 'future'
            ? got * 1000 > Date.now()
            : how === 'some'
              ? got !== undefined
              : how === 'lately'
                ? Math.abs(got * 1000 - Date.now()) < LATELY_MS
                : [got].flat().includes(expected)
      const shown = how === 'signature' ? `${header.alg}, kid ${header.kid}` : typeof got === 'string' ? got : JSON.stringify(got)
      const compares = ['equal', 'header', 'half_hash'].includes(how)
      if (holds || !compares) lines.push(`${check} ${holds ? '=' : '≠'} ${shown}`)
      else lines.push(`${check} = ${shown} ≠ ${expected}`)
      if (!holds) failed ??= check
    }
    judge({ ...step, checks: {} }, broken, failed ? { error: failed } : claims, lines.join('\n'))
  }

  async function leave(step, broken) {
    const values = await valuesFor(step, broken)
    const params = fillForm(step.query, values, broken)
    const url = fill(step.url, values)
    const posted = step.method === 'POST' && { 'Content-Type': FORM }
    const sent = posted ? { method: 'POST', url, headers: posted, body: params } : { method: 'GET', url: `${url}?${params}`, headers: {} }
    write(WAITING, { flow: flow.flow, step: step.step, broken: broken?.break, sent: writeRequest(sent) })
    if (!posted) return location.assign(sent.url)
    const form = make('form', '', { method: 'post', action: url, hidden: '' })
    for (const [name, value] of params) form.append(make('input', '', { type: 'hidden', name, value }))
    document.body.append(form)
    form.submit()
  }

  function arrive() {
    const { step: name, broken: called, sent, answer } = run.arrived
    const step = flow.steps.find((one) => one.step === name)
    const broken = step.breaks?.find((one) => one.break === called)
    const { href, searchParams } = new URL(answer, known.redirect_uri)
    run.arrived = null
    judge(step, broken, Object.fromEntries(searchParams), sent, writeRequest({ method: 'GET', url: href, headers: {} }))
    placeOf(step).focus()
    placeOf(step).querySelector('[data-told]').scrollIntoView({ block: 'center' })
  }

  async function request(step, broken) {
    if (broken?.after && !run.done?.includes(step.step)) {
      await request(step)
      if (!run.done?.includes(step.step)) return
    }
    const { client } = run
    let interval = Number(run.values.interval)
    for (;;) {
      // Whoever starts anew meanwhile has other codes.
      if (run.client !== client) return
      const sent = await prepare(step, broken)
      const { method, url, headers, body } = sent
      const answer = await fetch(url, { method, headers, body, credentials: 'omit', cache: 'no-store' }).catch(() => null)
      if (!answer) return tell(step, 'danger', words.failed, writeRequest(sent))
      if (sent.jti && answer.ok) run.values.last_jti = sent.jti
      const text = await answer.text()
      const json = readJson(text)
      const shown = [writeRequest(sent), writeAnswer(answer, text, json)]
      if (step.again_on?.includes(json.error) && !broken) {
        if (json.error === 'slow_down') interval += SLOWER_S
        run.values.interval = String(interval)
        tell(step, 'note', say(words.waiting, { n: interval }), ...shown)
        await new Promise((resolve) => setTimeout(resolve, interval * 1000))
        continue
      }
      for (const [name, header] of Object.entries(step.keeps_headers ?? {})) run.values[name] = readHeader(answer, header)
      const error = json.error ?? (readHeader(answer, 'www-authenticate#error') || String(answer.status))
      const got = answer.ok ? json : { ...json, error }
      return judge(step, broken, got, ...shown)
    }
  }

  /** What no page can send was sent from a terminal. */
  async function readPasted(step, broken) {
    const text = placeOf(step).querySelector('[data-pasted]').value.trim()
    const json = readJson(text)
    if (Object.keys(json).length === 0) return tell(step, 'note', words.paste)
    judge(step, broken, json, writeRequest(await prepare(step, broken)), JSON.stringify(json, null, 2))
  }

  /** Says whether it went as it must, and keeps what later steps use. */
  function judge(step, broken, got, ...shown) {
    const refusal = broken?.error ?? step.refused_with
    if (refusal !== undefined && got.error !== refusal) {
      const text = got.error ? say(words.refused_otherwise, { error: got.error, expected: refusal }) : words.not_refused
      return tell(step, 'danger', text, ...shown)
    }
    if (refusal === undefined && got.error) {
      const what = [got.error, got.error_description].filter(Boolean).join(': ')
      return tell(step, 'danger', say(words.wrong, { what }), ...shown)
    }
    if (refusal !== undefined) {
      const told = say(words.refused_rightly, got)
      return tell(step, 'good', broken?.ends ? `${told}. ${words.ended}` : told, ...shown)
    }
    for (const [place, expected] of Object.entries(step.checks ?? {})) {
      const must = typeof expected === 'string' ? fill(expected, { ...known, ...run.values }) : expected
      if (at(got, place) !== must) return tell(step, 'danger', say(words.wrong, { what: place }), ...shown)
    }
    const keeps = Array.isArray(step.keeps) ? Object.fromEntries(step.keeps.map((name) => [name, name])) : (step.keeps ?? {})
    for (const [name, place] of Object.entries(keeps)) {
      const value = at(got, place)
      if (value !== undefined) run.values[name] = typeof value === 'string' ? value : JSON.stringify(value)
    }
    run.done = [...(run.done ?? []), step.step]
    tell(step, 'good', words.done, ...shown)
  }

  function tell(step, tone, sentence, sent, answered) {
    mark(step, tone)
    const told = placeOf(step).querySelector('[data-told]')
    told.className = `outcome ${tone}`
    told.textContent = sentence
    const parts = []
    if (sent !== undefined) parts.push(...exchange(answered === undefined ? '' : words.request, sent))
    if (answered !== undefined) parts.push(...exchange(words.answer, answered))
    parts.push(...decode(`${sent}\n${answered}`))
    placeOf(step).querySelector('[data-outcome]').replaceChildren(...parts)
  }

  /** Writes the step for a shell and as code, or what it shows, with the values of this moment, where somebody looks at it. */
  async function showCode(step) {
    if (run.client === null) return
    const broken = brokenOf(step)
    for (const details of placeOf(step).querySelectorAll('[data-as]')) {
      const as_code = details.dataset.as === 'code'
      details.hidden = as_code && broken !== undefined
      if (!details.open || details.hidden) continue
      const text =
        step.kind === 'show'
          ? (await valuesFor(step))[step.value]
          : as_code
            ? fillCode(details.dataset.code, { ...known, ...run.values })
            : writeCurl(await prepare(step, broken).catch(() => ({ ...step, headers: {} })))
      details.querySelector('pre').replaceChildren(...paint(text))
    }
  }

  function mark({ step }, tone) {
    run.tones = { ...run.tones, [step]: tone }
    save()
    paintArrow(step, tone)
  }

  function paintArrow(step, tone) {
    for (const arrow of stage.querySelectorAll('[data-arrow]')) {
      if (arrow.dataset.arrow === step) arrow.setAttribute('class', tone)
    }
  }
}
