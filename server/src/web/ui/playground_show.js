// How the playground shows texts: values in their colours, and JWTs opened.
import { isJwt, openJwt } from './playground_keys.js'

/** An element with what is in it; a text stays a text. */
export const make = (name, content, attributes = {}) => {
  const element = document.createElement(name)
  element.append(content)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

/** Copies what stands in `details`, or selects it where the browser forbids that; said anew each time, also to those who listen. */
export async function copy(details, words) {
  const text = details.querySelector('pre')
  const said = details.querySelector('[role=status]')
  said.textContent = ''
  try {
    await navigator.clipboard.writeText(text.textContent)
    said.textContent = words.copied
  } catch {
    getSelection().selectAllChildren(text)
    said.textContent = words.selected
  }
}

/** What writes in the colours of a flow's values, as they are at that moment. */
export function writeIn({ names, words, valuesOf }) {
  function exchange(title, text) {
    const pre = make('pre', '', { dir: 'ltr', tabindex: '0', role: 'group', 'aria-label': title || words.answer })
    pre.append(...paint(text))
    return title === '' ? [pre] : [make('h3', title), pre]
  }

  /** Each value wears its colour wherever it stands, also as it is written in a form. */
  function paint(text) {
    const marks = names.flatMap(({ name, colour }) => {
      const value = valuesOf()[name]
      if (typeof value !== 'string' || value.length < 4) return []
      return [...new Set([value, encodeURIComponent(value)])].map((spelt) => ({ spelt, name, colour }))
    })
    marks.sort((a, b) => b.spelt.length - a.spelt.length)
    const parts = []
    for (let rest = text; rest !== ''; ) {
      const found = marks
        .map((one) => ({ ...one, at: rest.indexOf(one.spelt) }))
        .filter((one) => one.at >= 0)
        .reduce((first, one) => (first === undefined || one.at < first.at ? one : first), undefined)
      if (!found) {
        parts.push(rest)
        break
      }
      parts.push(rest.slice(0, found.at), make('span', found.spelt, { class: `value ${found.colour}`, title: found.name }))
      rest = rest.slice(found.at + found.spelt.length)
    }
    return parts
  }

  /** JWTs are read here in the browser: no token goes anywhere for it. */
  function decode(text) {
    const found = new Map(Object.entries(valuesOf()).filter(([, value]) => isJwt(value) && text.includes(value)))
    for (const [, name, jwt] of text.matchAll(/^&?(DPoP|(?:client_)?assertion)(?:: |=)(\S+)$/gm)) found.set(name, jwt)
    return [...found].map(([name, jwt]) => {
      const { header, claims } = openJwt(jwt)
      const details = make('details', make('summary', words.decoded.replace('{name}', () => name)))
      const pre = make('pre', '', { dir: 'ltr', tabindex: '0', role: 'group', 'aria-label': name })
      pre.append(...paint(`${JSON.stringify(header, null, 2)}\n${JSON.stringify(claims, null, 2)}`))
      details.append(pre)
      return details
    })
  }

  return { exchange, paint, decode }
}
