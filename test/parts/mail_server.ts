import { SMTPServer } from 'smtp-server'
import { createMailer, type Mailer } from '../../server/src/mail/mailer.ts'
import { createCertificate } from './certificate.ts'
import { freePort } from './sallyport.ts'

/** A letter as the mailbox holds it. */
export interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  /** The part for people without pictures. */
  readonly text: string
  readonly html: string
  /** The conversation was encrypted, and its sender known. */
  readonly encrypted: boolean
  readonly user: string | undefined
}

/** An SMTP server on loopback that speaks STARTTLS and wants a password, with every mailbox there is. */
export interface MailServer {
  readonly url: string
  readonly from: string
  /** For whoever is to trust it. */
  readonly certificate: string
  readonly letters: Received[]
  readonly mailer: Mailer
  /** The links in the newest letter to an address. */
  linkTo(address: string): string
  /** Makes the server refuse what comes. */
  refusing: boolean
  stop(): Promise<void>
}

const USER = { name: 'sally', password: 'password of the mail server' }

/** Starts one. */
export async function startMailServer(): Promise<MailServer> {
  const { key, cert } = createCertificate(['127.0.0.1'])
  const port = await freePort()
  const letters: Received[] = []
  const server = new SMTPServer({
    ...{ key, cert, authMethods: ['PLAIN'], logger: false },
    onAuth({ username, password }, _session, callback) {
      if (username === USER.name && password === USER.password) callback(null, { user: username })
      else callback(new Error('wrong password'))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (mail.refusing) return callback(Object.assign(new Error('no room'), { responseCode: 452 }))
        const { mailFrom, rcptTo } = session.envelope
        letters.push({
          ...readLetter(Buffer.concat(chunks).toString()),
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          encrypted: session.secure,
          user: session.user,
        })
        callback()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const url = `smtp://${USER.name}:${encodeURIComponent(USER.password)}@127.0.0.1:${port}`
  const from = 'Sallyport <login@id.example>'
  const mailer = createMailer({ url, from, tls: { ca: cert } })
  const mail: MailServer = {
    ...{ url, from, certificate: cert, letters, mailer, refusing: false },
    linkTo(address) {
      const letter = letters.findLast(({ to }) => to.includes(address))
      const link = /^http\S+token=\S+$/m.exec(letter?.text ?? '')?.[0]
      if (link === undefined) throw new Error(`no link for ${address}: ${JSON.stringify(letters)}`)
      return link
    },
    async stop() {
      mailer.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return mail
}

/** Reads a message of two parts (RFC 2046 section 5.1.4). */
function readLetter(raw: string): Pick<Received, 'subject' | 'text' | 'html'> {
  const [head = '', ...rest] = raw.split('\r\n\r\n')
  const headers = readHeaders(head)
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1]
  const parts = rest.join('\r\n\r\n').split(`--${boundary}`)
  const part = (type: string): string => {
    const found = parts.find((one) => one.includes(`Content-Type: ${type}`)) ?? ''
    const end = found.indexOf('\r\n\r\n')
    const encoding = readHeaders(found.slice(0, end).trim()).get('content-transfer-encoding')
    const body = found.slice(end + 4)
    if (encoding === 'base64') return Buffer.from(body, 'base64').toString()
    return (encoding === 'quoted-printable' ? readQuoted(body) : body).replaceAll('\r\n', '\n')
  }
  return { subject: readWords(headers.get('subject') ?? ''), text: part('text/plain'), html: part('text/html') }
}

function readHeaders(head: string): Map<string, string> {
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  return new Map(lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
}

function readQuoted(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

/** Encoded words of a header (RFC 2047). */
function readWords(text: string): string {
  return text.replace(/=\?utf-8\?([BQ])\?([^?]*)\?= ?/gi, (_, form: string, body: string) =>
    form.toUpperCase() === 'B' ? Buffer.from(body, 'base64').toString() : readQuoted(body.replaceAll('_', ' ')),
  )
}
