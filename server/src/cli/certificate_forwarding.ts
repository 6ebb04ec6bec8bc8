import { readFileSync } from 'node:fs'
import { ConfigError } from '../config/config_error.ts'
import type { Config } from '../config/read_config.ts'
import { readAuthorities } from '../crypto/certificate.ts'
import type { CertificateForwarding } from '../inbound/certificate_forwarding.ts'

/** How a proxy passes on the certificates of clients, with the authorities that issue them read from their file. */
export function readCertificateForwarding({ client_certificates }: Config): CertificateForwarding | undefined {
  if (client_certificates === undefined) return undefined
  const { header, authorities_file, origin } = client_certificates
  return { header, origin, authorities: authorities_file === undefined ? [] : readFile(authorities_file) }
}

function readFile(file: string): CertificateForwarding['authorities'] {
  try {
    const authorities = readAuthorities(readFileSync(file, 'utf8'))
    if (authorities.length > 0) return authorities
  } catch (cause) {
    throw new ConfigError([
      `${file} cannot be read as certificates (${cause instanceof Error ? cause.message : cause})`,
    ])
  }
  throw new ConfigError([`${file} has no certificate in it`])
}
