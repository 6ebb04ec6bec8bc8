import { toldNotice } from '../../../ui/components.ts'
import type { Child } from '../../../ui/html.ts'
import type { View } from '../../../ui/view.ts'

/** What was done just before the page that says so. */
export type Done = keyof View['text']['console']['done']

/** Says once what was done, where the page does not show it otherwise. */
export function doneNotice(view: View, done: Done | undefined): Child {
  return done && toldNotice(done === 'connector_kept' ? 'warning' : 'good', view.text.console.done[done])
}
