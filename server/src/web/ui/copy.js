// A button beside each value and each piece of code that is there to be copied; what the browser forbids is selected.
const pattern = document.getElementById('copy')
const { dataset } = pattern
let last
for (const value of document.querySelectorAll('main .copyable, main pre')) {
  const button = pattern.cloneNode(true)
  button.removeAttribute('id')
  button.hidden = false
  const term = value.closest('dl > div')?.querySelector('dt')
  if (term) button.setAttribute('aria-label', `${button.textContent}: ${term.textContent}`)
  // Each has its own, from the start: what is moved, or comes with its words in it, is not heard by everybody.
  const said = document.createElement('span')
  said.className = 'hint copied'
  said.role = 'status'
  button.addEventListener('click', async () => {
    if (last) last.textContent = ''
    last = said
    try {
      await navigator.clipboard.writeText(value.textContent)
      said.textContent = dataset.copied
    } catch {
      getSelection().selectAllChildren(value)
      said.textContent = dataset.selected
    }
  })
  value.after(button, said)
}
