import type { CDPSession, Page } from 'playwright-core'

/** A key as the browser's tools tell it. */
export interface VirtualKey {
  readonly credentialId: string
  readonly isResidentCredential: boolean
  readonly rpId?: string
  readonly privateKey: string
  readonly userHandle?: string
  readonly signCount: number
}

/** A security key without hardware, in a real browser (Chrome DevTools Protocol, domain WebAuthn). */
export class Authenticator {
  readonly #session: CDPSession
  readonly #id: string

  private constructor(session: CDPSession, id: string) {
    this.#session = session
    this.#id = id
  }

  /** Gives the browser of a page one, whose owner is there and verified until told otherwise. */
  static async in(page: Page, options: { synced?: boolean } = {}): Promise<Authenticator> {
    const session = await page.context().newCDPSession(page)
    await session.send('WebAuthn.enable')
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal' },
        ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
        ...{ automaticPresenceSimulation: false },
        ...{ defaultBackupEligibility: options.synced ?? false, defaultBackupState: options.synced ?? false },
      },
    })
    return new Authenticator(session, authenticatorId)
  }

  /** Its owner touches it while something is done; nobody touches it by chance. */
  async whileTouched<T>(work: () => Promise<T>): Promise<T> {
    const touch = (enabled: boolean) =>
      this.#session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.#id, enabled })
    await touch(true)
    try {
      return await work()
    } finally {
      await touch(false)
    }
  }

  /** Whether whoever touches it proves to be its owner. */
  async setVerified(isUserVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified })
  }

  /** The keys on it. */
  async keys(): Promise<VirtualKey[]> {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id })
    return credentials
  }

  /** Puts a key on it. */
  async put(credential: VirtualKey): Promise<void> {
    await this.#session.send('WebAuthn.addCredential', { authenticatorId: this.#id, credential })
  }
}
