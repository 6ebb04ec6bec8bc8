import type { ClientMetadata } from '../../../oauth/clients/client.ts'
import type { Json } from '../../../oauth/clients/metadata_member.ts'
import type { FieldKind } from '../forms/templates/typed_field.ts'
import { type FormValues, readLines, readTyped, writeTyped } from '../forms/typed_form.ts'
import { CLIENT_MEMBERS, type MemberName } from './templates/client_members.ts'
import type { DescribedMember } from './templates/described_members.ts'

const KINDS = Object.fromEntries(Object.entries(CLIENT_MEMBERS).map(([name, { kind }]) => [name, kind])) as Readonly<
  Record<MemberName, FieldKind>
>

/** What fills in the form of a client: its metadata as one would type them. */
export function writeForm(metadata: Partial<ClientMetadata>): FormValues {
  return writeTyped(KINDS, metadata as Json)
}

/** Reads what was typed into metadata that are still to be checked, by the reader of every registration. */
export function readForm(values: FormValues): Json {
  return readTyped(KINDS, values)
}

/** What is registered of a client, as the lines that its page shows for each member. */
export function describeMembers(metadata: ClientMetadata): DescribedMember[] {
  const values = writeForm(metadata)
  return (Object.keys(KINDS) as MemberName[]).flatMap((name): DescribedMember[] => {
    const kind = KINDS[name]
    if (kind === 'yes_no') return [{ name, on: values[name] === 'true' }]
    if (kind === 'flag') return values[name] === undefined ? [] : [{ name, on: true }]
    if (kind === 'follows') return [{ name, lines: metadata.response_types }]
    if (kind === 'json') return values[name] === undefined ? [] : [{ name, block: values[name] }]
    const lines = Object.entries(values).flatMap(([field, value]) => {
      if (field === name) return readLines(value)
      if (!field.startsWith(`${name}.`)) return []
      const part = field.slice(name.length + 1)
      return /^\d+$/.test(part) ? [value] : readLines(value).map((line) => `${part}: ${line}`)
    })
    return lines.length === 0 ? [] : [{ name, lines }]
  })
}
