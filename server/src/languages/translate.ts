import { type Catalogue, type Message, type Plural, pluralForms } from './message.ts'

/** A translation laid over English: every message, and a sentence for each that was left as it was. */
export interface Translated {
  readonly text: Catalogue
  readonly faults: readonly string[]
  /** The names of what the translation says nothing about. */
  readonly missing: readonly string[]
}

// They would turn the text around them; a translator has no use for them, since names are isolated by themselves.
const UNSOUND = /(?!\n)[\p{Cc}\u202a-\u202e]/u

/**
 * Lays what a file says over a catalogue. What English does not have, or what has other holes or plural forms than it
 * must have, is told and left out; the message of `base` stands in its place, so that a fault costs one sentence.
 */
export function translate(english: Catalogue, base: Catalogue, given: unknown, lang: string): Translated {
  const faults: string[] = []
  const missing: string[] = []
  const layGroup = (of: Catalogue, under: Catalogue, over: unknown, path: string): Catalogue => {
    const group = isGroup(over) ? over : undefined
    if (over !== undefined && !group) faults.push(`${path || 'the file'} must be an object of messages`)
    for (const name of Object.keys(group ?? {})) {
      if (!Object.hasOwn(of, name)) faults.push(`${join(path, name)} is no message of English`)
    }
    const entries = Object.entries(of).map(([name, message]) => {
      const [at, own] = [join(path, name), group && Object.hasOwn(group, name) ? group[name] : undefined]
      if (!isMessage(message)) return [name, layGroup(message, under[name] as Catalogue, own, at)] as const
      if (own === undefined) missing.push(at)
      const wrong = own === undefined ? [] : faultsOf(message, own, lang)
      faults.push(...wrong.map((fault) => `${at} ${fault}`))
      return [name, own === undefined || wrong.length > 0 ? under[name]! : (own as Message)] as const
    })
    return Object.fromEntries(entries)
  }
  const text = layGroup(english, base, given, '')
  return { text, faults, missing }
}

const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const FORMS = ['zero', 'one', 'two', 'few', 'many', 'other']

/** Whether a member of a catalogue is a message, and no group of them; a group may have a message that is called `other`. */
export function isMessage(value: Message | Catalogue): value is Message {
  if (typeof value === 'string') return true
  return typeof value['other'] === 'string' && Object.keys(value).every((form) => FORMS.includes(form))
}

/** What is wrong with the translation of a message, in words that follow its name. */
function faultsOf(english: Message, own: unknown, lang: string): string[] {
  const counts = holesOf(english).has('n')
  if (typeof own === 'string') {
    const must = typeof english !== 'string' && pluralForms(lang).length > 1
    return must ? [`needs the plural forms ${pluralForms(lang).join(', ')}`] : formFaults(english, own, '')
  }
  if (!isGroup(own)) return ['must be a text']
  if (!counts) return ['must be one text: there is no {n} in it to pick a form by']
  const forms = pluralForms(lang)
  return [
    ...forms.filter((form) => !Object.hasOwn(own, form)).map((form) => `has no plural form ${form}`),
    ...Object.entries(own).flatMap(([form, text]) => {
      if (!forms.includes(form as Intl.LDMLPluralRule)) return [`has a plural form ${form}, which ${lang} has not`]
      return typeof text === 'string' ? formFaults(english, text, form) : [`must have a text as its form ${form}`]
    }),
  ]
}

function formFaults(english: Message, text: string, form: string): string[] {
  const [wanted, had] = [holesOf(english), holesOf(text)]
  const inForm = form === '' ? '' : ` in its form ${form}`
  // "One day" needs no number, and neither do "no day" and "both days".
  const spelt = ['zero', 'one', 'two'].includes(form)
  return [
    ...[...wanted]
      .filter((hole) => !had.has(hole) && !(spelt && hole === 'n'))
      .map((hole) => `lacks {${hole}}${inForm}`),
    ...[...had].filter((hole) => !wanted.has(hole)).map((hole) => `has {${hole}}, which English has not${inForm}`),
    ...(text.trim() === '' && !isEmpty(english) ? [`is empty${inForm}`] : []),
    ...(UNSOUND.test(text) ? [`has a control character${inForm}`] : []),
  ]
}

const isEmpty = (message: Message) => message === ''

function holesOf(message: Message): Set<string> {
  const forms = typeof message === 'string' ? [message] : Object.values(message as Plural & Record<string, string>)
  return new Set(forms.flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)))
}
