import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

/** Where the keyboard stands: what is read out there, and what is wrong with the way to it. */
interface Stop {
  readonly name: string
  readonly wrong: string | undefined
}

/**
 * Somebody without a mouse. Each stop on their way must be seen (WCAG 2.4.7, 2.4.11), and come after the one before it,
 * in the document and on the screen (2.4.3).
 */
export class Keyboard {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** Presses Tab, or Shift+Tab, up to the stop of that name. */
  async to(name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const way: string[] = []
    for (let stops = 0; stops < 80; stops++) {
      const stop = await this.at()
      if (way.length > 0 && stop.name === name) return
      way.push(stop.name)
      await this.#page.keyboard.press(key)
      const next = await this.at(key)
      assert.equal(next.wrong, undefined, `${next.wrong}: ${next.name}, after ${way.join(', ')}`)
      if (next.name === name) return
    }
    assert.fail(`${name} is reached by no ${key}: ${way.join(', ')}`)
  }

  /** Presses a key where the keyboard stands. */
  press(key: 'Space' | 'Escape' | 'Enter' | 'ArrowDown' | 'ArrowUp'): Promise<void> {
    return this.#page.keyboard.press(key)
  }

  /** Goes to a field by its label, and types into it. */
  async type(label: string, value: string): Promise<void> {
    if ((await this.at()).name !== label) await this.to(label)
    await this.#page.keyboard.type(value)
  }

  /** Presses what leads to another page. */
  async go(name: string, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
    if ((await this.at()).name !== name) await this.to(name)
    await Promise.all([this.#page.waitForNavigation(), this.#page.keyboard.press(key)])
  }

  /** Where it stands now. */
  async at(key?: 'Tab' | 'Shift+Tab'): Promise<Stop> {
    return this.#page.evaluate((key) => {
      const element = document.activeElement
      const memory = document as Document & { stop_before?: Element }
      const before = memory.stop_before
      if (!(element instanceof HTMLElement) || element === document.body) return { name: '', wrong: undefined }
      memory.stop_before = element
      const labels = 'labels' in element ? [...(element.labels as NodeListOf<HTMLLabelElement>)] : []
      const words = element.getAttribute('aria-label') ?? labels[0]?.innerText ?? element.innerText
      const name = words.trim().split('\n')[0]!
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const { top, bottom, left, right } = element.getBoundingClientRect()
      if (outlineStyle === 'none' || Number.parseFloat(outlineWidth) < 2) return { name, wrong: 'no ring' }
      const inside = top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth
      if (!element.checkVisibility() || !inside) return { name, wrong: 'out of sight' }
      if (key === undefined || before === undefined || !before.isConnected) return { name, wrong: undefined }
      const [first, second] = key === 'Tab' ? [before, element] : [element, before]
      if (!(first.compareDocumentPosition(second) & Node.DOCUMENT_POSITION_FOLLOWING))
        return { name, wrong: 'goes back' }
      // What opened over the page lies anywhere.
      if (second.closest('[popover]') !== first.closest('[popover]')) return { name, wrong: undefined }
      const [from, to] = [first.getBoundingClientRect(), second.getBoundingClientRect()]
      const rtl = document.documentElement.dir === 'rtl'
      const aside = rtl ? to.left >= from.right : to.right <= from.left
      return { name, wrong: aside && to.bottom <= from.top ? 'lies before the one before' : undefined }
    }, key)
  }
}
