import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Locator, Page, Route } from 'playwright-core'
import type { Break, Flow, Step } from '../../server/src/web/playground/flow.ts'
import type { Bridge } from './bridge.ts'
import { runPasted } from './pasted.ts'
import type { Visitor } from './visitor.ts'

/** The administrator who runs the flows. */
export const ROOT = { username: 'root', password: 'correct horse battery' }

/** Where lines for a shell and programs run: with the files that they name, and what they take for trusted. */
export interface Terminal {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** What carries out the requests of a flow: the page itself, the line for a shell that it shows, or its code. */
export type By = 'page' | 'curl' | 'code'

/** Opens a flow in a browser and starts it; whoever is not signed in signs in. */
export async function startFlow(
  person: Visitor,
  issuer: string,
  flow: Flow,
  typed: { readonly document?: string } = {},
): Promise<void> {
  await person.visit(`${issuer}/playground/flow?flow=${flow.flow}`)
  if ((await person.page.locator('[name=password]').count()) > 0) await person.signIn(ROOT)
  const ready = person.page.getByText('The client of this run is')
  const password = person.page.locator('[name=password]')
  const fill = async () => {
    if (flow.inputs?.includes('document')) await person.page.fill('[name=document]', typed.document ?? '')
  }
  await fill()
  await person.press('Start')
  await ready.or(password).first().waitFor()
  if ((await password.count()) > 0) {
    await person.signIn(ROOT)
    await fill()
    await person.press('Start')
    await ready.waitFor()
  }
}

/** Runs one step as it must be, or in a wrong way; answers what the page says of it. */
export async function runStep(
  person: Visitor,
  bridge: Bridge,
  step: Step,
  how: { broken?: Break; by?: By; terminal?: Terminal } = {},
) {
  const { page } = person
  const place = page.locator(`[data-step="${step.step}"]`)
  if (step.breaks) await place.locator('select').selectOption(how.broken?.break ?? '')
  await place.locator('[data-told]').evaluate((told) => told.replaceChildren())
  if (step.kind === 'person') return allowElsewhere(page, place)
  const by_hand = step.kind === 'request' && step.certificate === true
  const by = by_hand && (how.by ?? 'page') === 'page' ? 'curl' : (how.by ?? 'page')
  const answer = step.kind === 'request' ? await answerBy(place, by, how.terminal) : undefined
  if (by_hand) await place.locator('[data-pasted]').fill(answer!.body)
  const route = by_hand ? undefined : await answerWith(page, answer)
  await place.locator('[data-run]').click()
  const outcome = place.locator('.outcome:not(:empty)')
  if (step.kind === 'browser' && !how.broken) await goThrough(person, bridge, outcome)
  await outcome.waitFor()
  // What is done rightly first has said so already.
  if (how.broken?.after) await place.locator('[data-run][aria-busy=false]').waitFor()
  if (route) await page.unroute('**/*', route)
  return outcome.innerText()
}

/** What the page says when all is well. */
export function expectedOf(step: Step, broken?: Break): RegExp {
  const refusal = broken?.error ?? (step.kind === 'request' ? step.refused_with : undefined)
  if (refusal === undefined) return /^As it should be$/
  return new RegExp(`^Refused, as it must be: ${refusal}${broken?.ends ? '\\. Whatever came of it has ended' : '$'}`)
}

async function allowElsewhere(page: Page, place: Locator): Promise<string> {
  const [opened] = await Promise.all([page.context().waitForEvent('page'), place.locator('[data-run]').click()])
  await opened.getByRole('button', { name: 'Continue' }).click()
  await opened.getByRole('button', { name: 'Allow' }).click()
  await opened.getByRole('heading').first().waitFor()
  await opened.close()
  return 'As it should be'
}

/** What a person does on the pages between: connects an account where one is asked for, allows, signs out and in again. */
async function goThrough(person: Visitor, bridge: Bridge, outcome: Locator): Promise<void> {
  const { page } = person
  bridge.foreign.auto_login = 'ada-at-acme'
  const connect = page.getByText('Connect your acme account', { exact: true })
  const picked = page.locator('input[type=radio]:checked:not([value=""])')
  const allow = page.getByRole('button', { name: 'Allow', exact: true })
  const leave = page.locator('main').getByRole('button', { name: 'Sign out', exact: true })
  const password = page.locator('[name=password]')
  for (;;) {
    await outcome.or(allow).or(leave).or(password).first().waitFor()
    if ((await outcome.count()) > 0) return
    if ((await password.count()) > 0) await person.signIn(ROOT)
    else if ((await leave.count()) > 0) await leave.click()
    else if ((await connect.count()) > 0 && (await picked.count()) === 0) {
      await connect.first().click()
      await picked.waitFor({ state: 'attached' })
    } else {
      await allow.click()
      await outcome.or(password).first().waitFor()
    }
  }
}

/** What answers to what the page says for a shell or a program; undefined where there is none. */
async function answerBy(place: Locator, by: By, terminal?: Terminal): Promise<Answer | undefined> {
  if (by === 'page') return undefined
  const details = place.locator(`details[data-as="${by}"]`)
  if ((await details.count()) === 0) return undefined
  if ((await details.getAttribute('open')) === null) await details.locator('summary').click()
  const pre = details.locator('pre:not(:empty)')
  await pre.waitFor()
  const text = (await pre.textContent())!
  return by === 'curl' ? runCurl(text, terminal) : runCode(text, terminal)
}

/** Has the next requests of the page answered so. */
async function answerWith(page: Page, answer: Answer | undefined) {
  if (!answer) return undefined
  const handler = (route: Route) => {
    if (route.request().resourceType() !== 'fetch') return route.continue()
    return route.fulfill(answer)
  }
  await page.route('**/*', handler)
  return handler
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

async function runCurl(command: string, terminal?: Terminal): Promise<Answer> {
  const where = terminal && { cwd: terminal.folder, env: { ...process.env, ...terminal.env } }
  const { stdout } = await promisify(execFile)('bash', ['-c', command.replace(/^curl /, 'curl -s -i ')], where ?? {})
  const [head = '', ...body] = stdout.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  const { 'transfer-encoding': _, 'content-length': __, ...kept } = headers
  return { status: Number(first.split(' ')[1]), headers: kept, body: body.join('\r\n\r\n') }
}

async function runCode(code: string, terminal?: Terminal): Promise<Answer> {
  const env = { NODE_OPTIONS: '--conditions=sallyport-source', ...terminal?.env }
  const program = await runPasted(code, env, terminal?.folder)
  if ((await program.ended) !== 0) throw new Error(`${code}\n${program.stderr}`)
  // The library writes types of tokens in small letters.
  const body = program.stdout.replace('"token_type": "dpop"', '"token_type": "DPoP"')
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}
