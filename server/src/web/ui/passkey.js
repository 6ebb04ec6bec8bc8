// Makes the forms of passkeys work, which stay hidden where the browser has none. What is asked of the browser stands in
// the form; its answer is posted with it.
const able = typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential

async function start(form) {
  const options = JSON.parse(form.dataset.options)
  let asking = new AbortController()
  const ask = async (mediation) => {
    asking.abort()
    asking = new AbortController()
    const { signal } = asking
    const credential =
      form.dataset.passkey === 'create'
        ? await navigator.credentials.create({
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
            signal,
          })
        : await navigator.credentials.get({
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
            mediation,
            signal,
          })
    form.elements.credential.value = JSON.stringify(credential)
    form.submit()
  }
  const failed = form.querySelector('.wrong')
  form.closest('[data-needs-passkeys]').hidden = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    failed.hidden = true
    ask('optional').catch(() => {
      failed.hidden = false
    })
  })
  // Offers passkeys where the username is typed; whoever picks none never notices.
  if ('autofill' in form.dataset && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    ask('conditional').catch(() => {})
  }
}

for (const form of able ? document.querySelectorAll('form[data-passkey]') : []) start(form)
