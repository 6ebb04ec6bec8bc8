import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { startSallyport } from '../parts/sallyport.ts'

/** The status of a page asked for under a host name of the caller's choice. */
function ask(issuer: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${issuer}/login`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    asked.on('error', reject).end()
  })
}

test('CWE-350 a site that points its name at a development server gets none of its pages', async () => {
  const server = await startSallyport()
  try {
    for (const host of [
      'evil.example',
      'evil.example:9400',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      'LOCALHOST.evil.example',
    ]) {
      assert.equal(await ask(server.issuer, host), 421, host)
    }
    for (const host of ['localhost', 'localhost:9400', '127.0.0.1:1', '[::1]:9400', 'sallyport', 'app.localhost:80']) {
      assert.equal(await ask(server.issuer, host), 200, host)
    }
  } finally {
    await server.stop()
  }
})
