import { card, codeBlock, definitions } from '../../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { code } from '../../../ui/name.ts'
import type { View } from '../../../ui/view.ts'
import { CLIENT_MEMBERS, CLIENT_SECTIONS, type MemberName } from './client_members.ts'

/** A member that is registered, in the way it is shown: a switch, values by the line, or a block. */
export type DescribedMember =
  | { readonly name: MemberName; readonly on: boolean }
  | { readonly name: MemberName; readonly lines: readonly string[] }
  | { readonly name: MemberName; readonly block: string }

/** What is registered of a client, in the parts in which it is changed. */
export function describedMembers(view: View, members: readonly DescribedMember[]): Child {
  const { sections } = view.text.console.client_form
  return CLIENT_SECTIONS.map((section): Child => {
    const shown = members.filter(({ name }) => CLIENT_MEMBERS[name].section === section)
    if (shown.length === 0) return ''
    const pairs = shown.map(
      (member) => [view.text.console.client_form.members[member.name], describe(view, member)] as const,
    )
    return html`<h3>${sections[section]}</h3>${card(definitions(pairs))}`
  })
}

function describe(view: View, member: DescribedMember): SafeHtml {
  const { yes, no } = view.text.console.client_form
  if ('on' in member) return html`${member.on ? yes : no}`
  if ('block' in member) return codeBlock(member.block)
  return html`${member.lines.map((line) => html`<p>${code(line)}</p>`)}`
}
