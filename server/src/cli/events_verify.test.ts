import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChainedEvent, EMPTY_CHAIN, ERASED, type SealedEvent, sealInOrder } from '../store/event_chain.ts'
import { verifyChain } from './events_verify.ts'

const event = (i: number): ChainedEvent => ({
  ...{ event_id: `e${i}`, at: i, type: 'user.created', actor: 'cli', detail: `{"name":"Zoë ${i}"}` },
  ...{ client_id: null, user_id: `u${i}`, grant_id: null, connection_id: null, request_id: null },
})
const SEALED: readonly SealedEvent[] = sealInOrder(
  EMPTY_CHAIN,
  Array.from({ length: 1200 }, (_, i) => event(i + 1)),
)
const write = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('base64url')
const lineOf = ({ detail_salt, detail_digest, chain, ...rest }: SealedEvent) =>
  `${JSON.stringify({ ...rest, detail_salt: write(detail_salt), detail_digest: write(detail_digest), chain: write(chain) })}\n`
const exported = (events: readonly SealedEvent[]) => Buffer.from(events.map(lineOf).join(''))
/** In pieces that end inside of lines, and of characters. */
const pieces = (whole: Buffer, size = 997) =>
  Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size))
const verify = (events: readonly SealedEvent[], from = EMPTY_CHAIN) => verifyChain(pieces(exported(events)), from)

test('16.4.2 an export is verified from its first event, or from where an earlier run had come to', async () => {
  const { sequence, chain } = SEALED.at(-1)!
  const whole = await verify(SEALED)
  assert.deepEqual([whole.events, whole.broken_at, whole.head.sequence], [1200, null, 1200])
  assert.deepEqual(Buffer.from(whole.head.chain), chain)
  const half = await verify(SEALED.slice(0, 700))
  const rest = await verify(SEALED.slice(700), half.head)
  assert.deepEqual([rest.events, rest.head.sequence, rest.broken_at], [500, sequence, null])
  const again = await verify(SEALED.slice(699), half.head)
  assert.deepEqual(
    [again.events, again.head.sequence, again.broken_at],
    [500, sequence, null],
    'with the one it came to',
  )
  const none = await verify(SEALED.slice(699, 700), half.head)
  assert.deepEqual([none.events, none.head, none.broken_at], [0, half.head, null], 'nothing new')
  const erased = SEALED.with(800, { ...SEALED[800]!, detail: ERASED, detail_salt: null })
  const { broken_at, erased: without } = await verify(erased)
  assert.deepEqual(
    [broken_at, without, whole.erased],
    [null, 1, 0],
    'what was erased verifies all the same, and is counted',
  )
})

test('16.4.2 whatever is altered, missing, put in or out of its place is named by its number', async () => {
  const other = sealInOrder(EMPTY_CHAIN, [event(1)])
  for (const [what, events, broken_at, from] of [
    ['another actor', SEALED.with(640, { ...SEALED[640]!, actor: 'nobody' }), 641],
    ['another detail', SEALED.with(2, { ...SEALED[2]!, detail: '{}' }), 3],
    ['an erased one with another detail', SEALED.with(2, { ...SEALED[2]!, detail_salt: null }), 3],
    ['one is missing', SEALED.toSpliced(499, 1), 500],
    ['the last of a page is missing', SEALED.toSpliced(500, 1), 501],
    ['two in the wrong order', SEALED.toSpliced(8, 2, SEALED[9]!, SEALED[8]!), 9],
    ['one twice', SEALED.toSpliced(8, 0, SEALED[8]!), 10],
    ['the beginning is missing', SEALED.slice(1), 1],
    ['of another chain', SEALED.slice(1), 2, other[0]!],
  ] as [string, SealedEvent[], number, SealedEvent?][]) {
    const { broken_at: found, events: sound } = await verify(events, from ?? EMPTY_CHAIN)
    assert.equal(found, broken_at, what)
    assert.equal(sound, broken_at - 1 - (from?.sequence ?? 0), `${what}: those before it`)
  }
})

test('16.4.2 a chain whose end was cut off, or written anew, is broken where an earlier run had come to', async () => {
  const head = { sequence: 700, chain: SEALED[699]!.chain }
  const anew = sealInOrder(SEALED[698]!, [event(700), event(701)])
  for (const [what, events, from, broken_at] of [
    ['nothing is left after it, nor it', [], head, 700],
    ['written anew from there', anew, head, 700],
    ['nothing at all', [], EMPTY_CHAIN, 1],
    ['cut off before it', SEALED.slice(600, 690), head, 701],
  ] as const) {
    const found = await verify(events, from)
    assert.deepEqual([found.broken_at, found.events], [broken_at, 0], what)
  }
})

test('what is no export, or not all of one, is refused by its line and not quoted', async () => {
  const sound = exported(SEALED.slice(0, 3))
  const secret = Buffer.from('{"password":"hunter2"}\n')
  const broken = async function* () {
    yield sound
    throw new TypeError('terminated')
  }
  await assert.rejects(verifyChain(broken(), EMPTY_CHAIN), { name: 'CommandError', message: 'The export broke off' })
  for (const [bytes, sentence] of [
    [Buffer.concat([sound, secret]), /^Line 4 is no event of an export$/],
    [Buffer.concat([secret, sound]), /^Line 1 is no event/],
    [Buffer.from('hunter2\n'), /^Line 1 is no event/],
    [Buffer.concat([sound, Buffer.from('\n')]), /^Line 4 is no event/],
    [sound.subarray(0, -1), /^Line 3 is cut off: the export is not whole$/],
    [sound.subarray(0, -40), /^Line 3 is cut off/],
    [Buffer.concat([sound, Buffer.alloc(2 ** 21, 'x')]), /^Line 4 is longer than any event$/],
    [Buffer.concat([sound, Buffer.from([0xff, 0x0a])]), /^The export is not UTF-8$/],
  ] as const) {
    await assert.rejects(verifyChain(pieces(bytes, 65_536), EMPTY_CHAIN), ({ message }: Error) => {
      assert.match(message, sentence)
      return !message.includes('hunter2')
    })
  }
})
