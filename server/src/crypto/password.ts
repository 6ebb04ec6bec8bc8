import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'

// argon2id, the library's default algorithm, with OWASP's small-memory parameters: 19 MiB, two passes, one lane.
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** Thrown when the queue of password hashes is full: the caller answers 503 with Retry-After. */
export class PasswordQueueFull extends Error {
  constructor() {
    super('too many passwords are being checked')
    this.name = 'PasswordQueueFull'
  }
}

const running = { now: 0, most: availableParallelism() }
const waiting: (() => void)[] = []
const LONGEST_QUEUE = 96

/** Hashes a password with argon2id into a PHC string. */
export function hashPassword(password: string): Promise<string> {
  return inQueue(() => hash(password.normalize('NFC'), PARAMETERS))
}

/** Checks a password against a PHC string; with no hash it does the same work and says false. */
export async function verifyPassword(phc: string | null, password: string): Promise<boolean> {
  const matches = await inQueue(() => verify(phc ?? NOBODY, password.normalize('NFC')))
  return phc !== null && matches
}

// A hash of the same cost that no password is known for: salt and tag are all zeros.
const NOBODY = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

async function inQueue<T>(work: () => Promise<T>): Promise<T> {
  if (running.now >= running.most) {
    if (waiting.length >= LONGEST_QUEUE) throw new PasswordQueueFull()
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running.now++
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running.now--
  }
}
