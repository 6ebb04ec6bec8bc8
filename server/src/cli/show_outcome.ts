import type { Outcome } from '../apply/apply.ts'
import type { Change, FieldChange } from '../apply/plan.ts'

const MARKS = { create: '+', change: '~', none: ' ' } as const

/** What planning or applying came to, as lines for people; secrets are never in it. `words` count what was found. */
export function describeOutcome(
  { changes, warnings }: Outcome,
  words: { [Action in Change['action']]: string },
  place: string,
): string {
  const lines = changes.flatMap(({ action, kind, id, fields }) =>
    action === 'none' ? [] : [`${MARKS[action]} ${kind} ${id}`, ...fields.map(describeField)],
  )
  const counts = (['create', 'change', 'none'] as const).map((action) => {
    const count = changes.filter((change) => change.action === action).length
    return `${count} ${words[action]}`
  })
  return [...lines, ...warnings.map((warning) => `! ${warning}`), `${counts.join(', ')} ${place}`, ''].join('\n')
}

function describeField({ field, from, to, secret }: FieldChange): string {
  if (secret) return `    ${field}: (secret)`
  const shown = (value: unknown) => (value === undefined ? '(none)' : cut(JSON.stringify(value)))
  return from === undefined ? `    ${field}: ${shown(to)}` : `    ${field}: ${shown(from)} -> ${shown(to)}`
}

// A picture is a line of forty thousand letters, which say nothing to anybody.
function cut(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 40)}… (${text.length} characters)` : text
}
