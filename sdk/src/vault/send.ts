import type { ApiRequest } from './api_request.ts'
import { type Credential, present } from './credential.ts'
import { isAnother, type KeptToken } from './kept_token.ts'
import type { ProviderToken } from './options.ts'
import { formatBearer, type Sallyport } from './sallyport.ts'

/** Sends a request to a URL with the token that belongs there, and repairs what can be repaired by another token. */
export type Send = (request: ApiRequest, url: string) => Promise<Response>

/** Through Sallyport's proxy, which adds the provider's token and renews it; the token here is one of ours. */
export function throughProxy(sallyport: Sallyport, credential: Credential): Send {
  return (request, url) =>
    present(credential, request.replayable, async (access_token) => {
      const response = await call(sallyport, request, url, access_token)
      const refusal = await sallyport.readProxyRefusal(response)
      if (refusal !== undefined) throw refusal
      return response
    })
}

/** To the API itself: a 401 renews the token once, and the request is made again where its body is still there. */
export function withToken(sallyport: Sallyport, tokens: KeptToken<ProviderToken>): Send {
  return async (request, url) => {
    const token = await tokens.get()
    const response = await call(sallyport, request, url, token.access_token)
    if (response.status !== 401) return response
    const renewed = await tokens.get(token.access_token).catch(async (error: unknown) => {
      await response.body?.cancel()
      throw error
    })
    if (!request.replayable || !isAnother(renewed, token.access_token)) return response
    await response.body?.cancel()
    return await call(sallyport, request, url, renewed.access_token)
  }
}

function call(sallyport: Sallyport, request: ApiRequest, url: string, access_token: string): Promise<Response> {
  const headers = new Headers(request.init.headers)
  headers.set('authorization', formatBearer(access_token))
  // Where a redirect leads is for the caller to judge.
  return sallyport.fetch(url, { ...request.init, headers, redirect: 'manual' })
}
