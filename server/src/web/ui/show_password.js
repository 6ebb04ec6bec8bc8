// Shows the button beside a password field, which stays hidden without JavaScript, and makes it work.
for (const button of document.querySelectorAll('button[data-shows]')) {
  const field = document.getElementById(button.dataset.shows)
  button.hidden = false
  button.addEventListener('click', () => {
    const shown = field.type === 'text'
    field.type = shown ? 'password' : 'text'
    button.setAttribute('aria-pressed', String(!shown))
  })
  field.form.addEventListener('submit', () => {
    field.type = 'password'
  })
}
