// A button beside each value and each piece of code that is there to be copied; what the browser forbids is selected.
const pattern = document.getElementById('copy')
const said = document.getElementById('copied')
for (const value of document.querySelectorAll('main .copyable, main pre')) {
  const button = pattern.cloneNode(true)
  button.removeAttribute('id')
  button.hidden = false
  const term = value.closest('dl > div')?.querySelector('dt')
  if (term) button.setAttribute('aria-label', `${button.textContent}: ${term.textContent}`)
  button.addEventListener('click', async () => {
    said.textContent = ''
    try {
      await navigator.clipboard.writeText(value.textContent)
      said.textContent = said.dataset.copied
    } catch {
      getSelection().selectAllChildren(value)
      said.textContent = said.dataset.selected
    }
    button.after(said)
  })
  value.after(button)
}
