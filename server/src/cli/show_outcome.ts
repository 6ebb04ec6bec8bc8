import type { Outcome } from '../apply/apply.ts'
import type { FieldChange } from '../apply/plan.ts'

const MARKS = { create: '+', change: '~', none: ' ' } as const

/** What planning or applying came to, as lines for people; secrets are never in it. */
export function describeOutcome({ changes, warnings }: Outcome, done: boolean): string {
  const lines = changes.flatMap(({ action, kind, id, fields }) =>
    action === 'none' ? [] : [`${MARKS[action]} ${kind} ${id}`, ...fields.map(describeField)],
  )
  const count = (action: string) => changes.filter((change) => change.action === action).length
  const summary = done
    ? `${count('create')} made, ${count('change')} changed, ${count('none')} as described already`
    : `${count('create')} to make, ${count('change')} to change, ${count('none')} as described already`
  return [...lines, ...warnings.map((warning) => `! ${warning}`), summary, ''].join('\n')
}

function describeField({ field, from, to, secret }: FieldChange): string {
  if (secret) return `    ${field}: (secret)`
  const shown = (value: unknown) => (value === undefined ? '(none)' : JSON.stringify(value))
  return from === undefined ? `    ${field}: ${shown(to)}` : `    ${field}: ${shown(from)} -> ${shown(to)}`
}
