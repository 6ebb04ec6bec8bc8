import type { ConnectionOptions } from 'node:tls'
import { type Letter, writeLetter } from './letter.ts'

/** What sends letters. */
export interface Mailer {
  /** Throws when the server did not take it. */
  send(to: string, letter: Letter): Promise<void>
  close(): void
}

/** A mailer over the operator's SMTP server (RFC 5321), which the egress guard has no say about. */
export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly url: string
  /** The sender, an address or `Name <address>`. */
  readonly from: string
  /** What to trust beside the system's certificates. */
  readonly tls?: Pick<ConnectionOptions, 'ca'>
}

const TIMEOUT_MS = 20_000

/** Makes a mailer; the client of SMTP is loaded where there is one. */
export function createMailer({ url, from, tls }: SmtpOptions): Mailer {
  const transport = import('nodemailer').then(({ createTransport }) => createTransport(transportOptions(url, tls)))
  // Whoever sends hears of it.
  transport.catch(() => {})
  return {
    async send(to, letter) {
      const { text, html } = writeLetter(letter)
      // An object and not a header line, so that an address cannot bring a second one with it.
      const { lang, subject } = letter
      const headers = { 'Content-Language': lang }
      const message = { from, to: { name: '', address: to }, headers, subject, text, html }
      await (await transport).sendMail({ ...message, disableFileAccess: true, disableUrlAccess: true })
    },
    close() {
      transport.then((opened) => opened.close()).catch(() => {})
    },
  }
}

/** Says hello to the server, with TLS and the password, and sends nothing; throws what is in the way. */
export async function greetSmtp({ url, tls }: SmtpOptions): Promise<void> {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport(transportOptions(url, tls))
  try {
    await transport.verify()
  } finally {
    transport.close()
  }
}

function transportOptions(url: string, tls: SmtpOptions['tls']) {
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const host = hostname.replace(/^\[|\]$/g, '')
  const auth = username === '' ? undefined : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  // Letters carry links that are worth an account, so they leave this machine encrypted or not at all (RFC 3207).
  const local = /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host)
  return {
    ...{ host, port: port === '' ? (secure ? 465 : 587) : Number(port), secure },
    ...{ requireTLS: !secure && (!local || auth !== undefined) },
    ...{ pool: true, maxConnections: 2, connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS },
    ...{ socketTimeout: TIMEOUT_MS, tls: { ...tls, minVersion: 'TLSv1.2' as const } },
    ...(auth && { auth }),
  }
}
