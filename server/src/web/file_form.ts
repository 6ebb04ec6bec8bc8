import type { Context } from 'hono'
import { OAuthError } from '../oauth/errors.ts'
import { type Params, readParams } from '../oauth/params.ts'
import { LARGEST_BODY } from './machine.ts'
import { type PageEnv, readBody, readPostedForm } from './page.ts'

// Who chose a file that is too large is to be told so on the page, and not by a connection that breaks.
const LARGEST_FORM = 2 ** 20

/**
 * Reads a form with files (RFC 7578), or one that was sent without any. In the fields named here a file comes as a data URL, and so does text; a file is
 * nothing but its bytes: what it was called and what type it was said to have is not read.
 */
export function readFileForm(...files: readonly string[]) {
  return async (c: Context<PageEnv>, signed_in: boolean): Promise<Params> => {
    const type = c.req.header('content-type') ?? ''
    if (!/^multipart\/form-data;/i.test(type)) return readPostedForm(c)
    const body = Buffer.from(await readBody(c, signed_in ? LARGEST_FORM : LARGEST_BODY))
    const texts = new URLSearchParams()
    const contents: Record<string, string> = {}
    for (const [name, value] of await readParts(body, type)) {
      if (!files.includes(name)) {
        if (typeof value !== 'string') throw new OAuthError('invalid_request', `Parameter ${name} must not be a file`)
        texts.append(name, value)
        continue
      }
      if (Object.hasOwn(contents, name)) throw new OAuthError('invalid_request', `Parameter ${name} is repeated`)
      contents[name] = typeof value === 'string' ? value : await writeDataUrl(value)
    }
    const { values, ...rest } = readParams(texts.toString())
    return { ...rest, values: { ...values, ...contents } }
  }
}

async function readParts(body: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData()
  } catch (cause) {
    throw new OAuthError('invalid_request', 'The body is not the form that its Content-Type says', { cause })
  }
}

/** A field without a file sends an empty one. */
async function writeDataUrl(file: Blob): Promise<string> {
  const bytes = Buffer.from(await file.arrayBuffer())
  return bytes.length === 0 ? '' : `data:application/octet-stream;base64,${bytes.toString('base64')}`
}
