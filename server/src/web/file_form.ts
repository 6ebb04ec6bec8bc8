import type { Context } from 'hono'
import type { SignedIn } from '../inbound/sessions/sessions.ts'
import { OAuthError } from '../oauth/errors.ts'
import { type Params, readParams } from '../oauth/params.ts'
import { LARGEST_BODY } from './machine.ts'
import { type PageEnv, readBody, readPostedForm } from './page.ts'

// Who chose a file that is too large is to be told so on the page, and not by a connection that breaks.
const LARGEST_FORM = 2 ** 20

/**
 * Reads a form with files (RFC 7578), or one that was sent without any. In the fields named here a file comes as a data
 * URL, and so does text; a file is nothing but its bytes: what it was called and what type it was said to have is not read.
 * Of whoever may not send one nothing large is read.
 */
export function readFileForm(maySend: (signed_in: SignedIn) => boolean, ...files: readonly string[]) {
  return async (c: Context<PageEnv>, signed_in: SignedIn | null): Promise<Params> => {
    const type = c.req.header('content-type') ?? ''
    if (!/^multipart\/form-data;/i.test(type)) return readPostedForm(c)
    const body = Buffer.from(await readBody(c, signed_in && maySend(signed_in) ? LARGEST_FORM : LARGEST_BODY))
    const texts = new URLSearchParams()
    const contents: Record<string, string> = {}
    for (const [name, value] of await readParts(body, type)) {
      if (!files.includes(name)) {
        if (typeof value !== 'string') throw new OAuthError('invalid_request', `Parameter ${name} must not be a file`)
        // What takes a form with files apart puts this in the place of what it cannot read.
        if (value.includes('\ufffd')) throw new OAuthError('invalid_request', `Parameter ${name} is not UTF-8`)
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

// Each part has this header. A form of ours has a few: to take thousands apart would hold up everybody for half a second.
const PART = /content-disposition/gi
const MOST_PARTS = 32

async function readParts(body: Buffer<ArrayBuffer>, type: string): Promise<FormData> {
  if ((body.toString('latin1').match(PART)?.length ?? 0) > MOST_PARTS) {
    throw new OAuthError('invalid_request', `The form has more than ${MOST_PARTS} parts`)
  }
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
