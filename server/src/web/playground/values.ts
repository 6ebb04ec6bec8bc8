import type { Flow, Step } from './flow.ts'

/** The values that go from one step to another, in the order in which they are made: each has its colour everywhere. */
export function listValues({ key, steps }: Flow): string[] {
  const started = [...(key ? [key.name] : []), ...(key?.of === 'issuer' ? ['trusted_issuer'] : [])]
  return [...new Set(['client_id', 'client_secret', ...started, ...steps.flatMap(keptBy)])]
}

const COLOURS = 12

/** The class of a value's colour. */
export function colourOf(values: readonly string[], name: string): string {
  const index = values.indexOf(name)
  return index < 0 ? '' : `v${index % COLOURS}`
}

/** The values that a step makes, or gets. */
export function keptBy(step: Step): readonly string[] {
  if (step.kind === 'make') return step.makes.map(({ name }) => name)
  if (step.kind === 'browser') return step.keeps
  return step.kind === 'request' ? Object.keys({ ...step.keeps, ...step.keeps_headers }) : []
}

/** The values that a step uses. */
export function usedBy(step: Step): readonly string[] {
  if (step.kind === 'make') return step.makes.flatMap(({ of }) => of ?? [])
  if (step.kind === 'check') {
    return [
      step.token,
      ...step.checks.flatMap(({ how, value }) => (how === 'half_hash' ? (value ?? []) : named(value ?? ''))),
    ]
  }
  if (step.kind === 'show') return [step.value]
  if (step.kind === 'person') return named(step.link)
  if (step.kind === 'browser') return [...named(step.url), ...step.query.flatMap(({ value }) => named(value))]
  const credentials = {
    client: ['client_id', 'client_secret'],
    bearer: [step.token ?? 'access_token'],
    dpop: ['access_token'],
  }
  return [
    ...(step.authorization ? credentials[step.authorization] : []),
    ...(step.proof ? ['dpop_key', 'dpop_nonce'] : []),
    ...(step.again_on ? ['interval'] : []),
    ...(step.signs ? [step.signs.key, ...step.signs.claims.flatMap(({ value }) => named(value))] : []),
    ...named(step.url),
    ...(step.body ?? []).flatMap(({ value }) => named(value)).filter((name) => name !== step.signs?.name),
  ]
}

function named(text: string): string[] {
  // What is random is made for the moment, and comes from nowhere.
  return [...text.matchAll(/\{(?!random\})(\w+)\}/g)].map(([, name]) => name!)
}

/** The values that a step uses and that a step before it brings, each with the number of that step. */
export function neededBy({ steps }: Flow, step: Step): Record<string, number> {
  const before = steps.slice(0, steps.indexOf(step))
  const needed = usedBy(step).flatMap((name): [string, number][] => {
    const index = before.findIndex((one) => keptBy(one).includes(name))
    return index < 0 ? [] : [[name, index + 1]]
  })
  return Object.fromEntries(needed)
}
