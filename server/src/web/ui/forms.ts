import { attrs, type Child, html, type SafeHtml } from './html.ts'
import type { View } from './view.ts'

/** How a button looks: the one main thing on a page, a choice of equal weight, everything else, or what ends something. */
export type ButtonKind = 'primary' | 'ink' | 'plain' | 'danger' | 'quiet'

/** A form that posts to a path of ours. Every one carries the token against request forgery (RFC 9700 section 4.7). */
export function form(
  view: View,
  to: { action: string; id?: string; hidden?: Readonly<Record<string, string>> | undefined; files?: boolean },
  content: Child,
): SafeHtml {
  const hidden = Object.entries({ ...to.hidden, csrf_token: view.csrf_token })
  return html`<form method="post" action="${to.action}"${attrs({ id: to.id, enctype: to.files ? 'multipart/form-data' : undefined })}>${hidden.map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}${content}</form>`
}

/** A button that submits its form, or the form named by `form`, or to `action`; `unchecked` lets it go without what is required. */
export function button(
  label: Child,
  options: {
    kind?: ButtonKind
    name?: string
    value?: string
    form?: string
    action?: string
    pressed?: boolean
    unchecked?: boolean
  } = {},
): SafeHtml {
  const { kind = 'primary', name, value, form, action, pressed, unchecked } = options
  const rest = attrs({
    name,
    value,
    form,
    formaction: action,
    formnovalidate: unchecked,
    'aria-pressed': pressed === undefined ? undefined : String(pressed),
  })
  return html`<button class="button ${kind}"${rest}>${label}</button>`
}

/** A link that looks like a button. */
export function buttonLink(label: Child, to: string, kind: ButtonKind = 'plain'): SafeHtml {
  return html`<a class="button ${kind}" href="${to}">${label}</a>`
}

/** One line of input with its label, its hint and what is wrong with it. */
export interface Field {
  /** Name on the wire; also the id. */
  readonly name: string
  readonly label: Child
  readonly type?: 'text' | 'password' | 'email' | 'search' | 'url' | 'file'
  /** The types of files that can be chosen. */
  readonly accept?: string
  readonly value?: string | undefined
  readonly hint?: Child
  readonly error?: Child
  readonly autocomplete?: string
  readonly required?: boolean
  readonly autofocus?: boolean
  readonly minlength?: number
  /** Letters as they are: no capitals at the start, no spell check. */
  readonly literal?: boolean
  /** What is offered while somebody types. */
  readonly offers?: readonly string[]
  /** Stands in the frame at the end of the field. */
  readonly after?: SafeHtml | false
}

/** A labelled input; the error is text, tied to the field (WCAG 3.3.1). */
export function field(options: Field): SafeHtml {
  const { name, type = 'text', value, autocomplete, required, autofocus, minlength, literal, accept } = options
  const input = attrs({
    ...described(options),
    value,
    accept,
    autocomplete,
    required,
    autofocus,
    minlength,
    // Letters and signs of a name or code stay in their order on a page from right to left.
    dir: literal ? 'auto' : undefined,
    list: options.offers && `${name}-offers`,
    autocapitalize: literal ? 'none' : undefined,
    spellcheck: literal ? 'false' : undefined,
  })
  const offers = options.offers?.map((value) => html`<option value="${value}"></option>`)
  const box = html`<input id="${name}" name="${name}" type="${type}"${input}>${offers && html`<datalist id="${name}-offers">${offers}</datalist>`}`
  return labelled(options, options.after ? html`<div class="joined">${box}${options.after}</div>` : box)
}

/** Several lines of input. */
export function textArea(options: Field & { rows?: number }): SafeHtml {
  const { name, value = '', rows = 3, required } = options
  const literal = options.literal ? { dir: 'ltr', spellcheck: 'false' } : {}
  const area = attrs({ ...described(options), rows, required, ...literal })
  // The parser drops one newline after the start tag.
  return labelled(options, html`<textarea id="${name}" name="${name}"${area}>${`\n${value}`}</textarea>`)
}

/** A choice from a list. */
export function select(options: Field & { choices: readonly { value: string; label: string }[] }): SafeHtml {
  const items = options.choices.map(
    ({ value, label }) =>
      html`<option value="${value}"${attrs({ selected: value === (options.value ?? '') })}>${label}</option>`,
  )
  return labelled(
    options,
    html`<select id="${options.name}" name="${options.name}"${attrs(described(options))}>${items}</select>`,
  )
}

/** One box to tick or one of several to pick, with a line of explanation. */
export interface Choice {
  readonly name: string
  readonly value: string
  readonly label: Child
  readonly hint?: Child
  readonly checked?: boolean
  readonly disabled?: boolean
  readonly required?: boolean
}

/** A check box with its label. */
export function check(choice: Choice): SafeHtml {
  return tickable('checkbox', choice)
}

/** A radio button with its label. */
export function radio(choice: Choice): SafeHtml {
  return tickable('radio', choice)
}

/** A group of choices under one question. */
export function group(
  question: Child,
  content: Child,
  options: { name?: string; error?: Child; hint?: Child } = {},
): SafeHtml {
  const error = options.error ? html`<p class="wrong" id="${options.name ?? ''}-error">${options.error}</p>` : ''
  const wrong = options.error ? `${options.name ?? ''}-error` : undefined
  return html`<fieldset${attrs({ 'aria-describedby': wrong })}><legend>${question}</legend>${error}${content}${options.hint ? html`<p class="hint">${options.hint}</p>` : ''}</fieldset>`
}

function tickable(type: 'checkbox' | 'radio', choice: Choice): SafeHtml {
  const { name, value, label, hint, checked, disabled, required } = choice
  const small = hint ? html`<small>${hint}</small>` : ''
  return html`<label class="choice"><input type="${type}" name="${name}" value="${value}"${attrs({ checked, disabled, required })}><span>${label}${small}</span></label>`
}

function described(options: Field): Record<string, string | undefined> {
  const ids = [options.error ? `${options.name}-error` : '', options.hint ? `${options.name}-hint` : '']
  return {
    'aria-describedby': ids.filter(Boolean).join(' ') || undefined,
    'aria-invalid': options.error ? 'true' : undefined,
  }
}

function labelled(options: Field, control: SafeHtml): SafeHtml {
  const { name, label, hint, error } = options
  const wrong = error ? html`<p class="wrong" id="${name}-error">${error}</p>` : ''
  const help = hint ? html`<p class="hint" id="${name}-hint">${hint}</p>` : ''
  return html`<div class="field"><label for="${name}">${label}</label>${control}${wrong}${help}</div>`
}
