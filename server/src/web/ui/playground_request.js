// What a step of the playground sends, with the values of this moment.
import { fill, fillForm, fillObject } from './playground_http.js'
import { forge, isJwt, makeKey, makeProof, random, signClaims } from './playground_keys.js'

export const FORM = 'application/x-www-form-urlencoded'

/** What prepares the requests of a flow whose values are those of `valuesOf`. */
export function prepareIn(valuesOf) {
  /** All values of this moment; of a broken step some are others. */
  async function valuesFor(step, broken) {
    const values = { ...valuesOf(), random: random() }
    const changed = Object.entries(broken?.values ?? {})
    if (changed.some(([, text]) => text === '{other_key}')) values.other_key = await makeKey()
    const token = values[step.token ?? 'access_token']
    if (changed.some(([, text]) => text === '{forged}') && isJwt(token ?? '')) values.forged = forge(token)
    for (const [name, text] of changed) values[name] = fill(text, values)
    return values
  }

  async function prepare(step, broken) {
    const values = await valuesFor(step, broken)
    const { method } = step
    const url = fill(step.url, values)
    const headers = {}
    const token = values[step.token ?? 'access_token']
    if (step.authorization === 'client') {
      const encode = (text) => new URLSearchParams({ text }).toString().slice(5)
      headers.Authorization = `Basic ${btoa(`${encode(values.client_id)}:${encode(values.client_secret)}`)}`
    }
    if (step.authorization === 'bearer') headers.Authorization = `Bearer ${token}`
    if (step.authorization === 'dpop') headers.Authorization = `DPoP ${token}`
    const { jti = random() } = values
    if (step.proof) {
      const { htm = method, htu = url, dpop_nonce: nonce } = values
      const access_token = step.authorization === 'dpop' ? token : undefined
      headers.DPoP = await makeProof(values.dpop_key, { jti, htm, htu, nonce, access_token })
    }
    if (step.signs) values[step.signs.name] = await sign(step.signs, { ...values, jti })
    const kept = { ...(step.proof || step.signs ? { jti } : {}), certificate: step.certificate }
    if (method !== 'POST' || (step.json && !step.body)) return { method, url, headers, ...kept }
    const body = step.json ? fillObject(step.body, values, broken) : fillForm(step.body ?? [], values, broken)
    headers['Content-Type'] = step.json ? 'application/json' : FORM
    return { method, url, headers, body, ...kept }
  }

  return { valuesFor, prepare }
}

/** A JWT of the flow's own, for this request alone; of a broken step some claims are others. */
function sign({ key, claims }, values) {
  const iat = Math.floor(Date.now() / 1000)
  const said = claims.map(({ name, value }) => {
    const text = values[name] ?? fill(value, values)
    const seconds = /^now ([+-] ?\d+) s$/.exec(text)?.[1]
    return [name, seconds ? iat + Number(seconds.replace(' ', '')) : text]
  })
  return signClaims(values[key], { ...Object.fromEntries(said), iat })
}
