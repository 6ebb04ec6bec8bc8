import { COMMON_WORDS } from './frequent_words.ts'

/**
 * Whether a password is one of those that are guessed first (ASVS 6.2.4, 6.2.12): a common word or a name of its owner
 * with what people put around it, a row of keys, a date, or something short over and over. It works without a network.
 */
export function isCommonPassword(password: string, names: readonly string[] = []): boolean {
  const text = password.normalize('NFKC').toLowerCase()
  const own = new Set(names.flatMap(wordsOfName))
  const isWord = (word: string) => COMMON_WORDS.has(word) || CUT_WORDS.has(word) || own.has(word)
  const isWordByKeys = (keys: string) => isWordWithTrimmings(keys, isWord)
  return isRepeated(text) || isDate(text) || isRowOfKeys(text) || [text, translate(text, CYRILLIC)].some(isWordByKeys)
}

// Systems of old kept eight letters of a password, and those halves of words are what leaked.
const CUT_WORDS: ReadonlySet<string> = new Set([...COMMON_WORDS].map((word) => word.slice(0, 8)))

// "alice.example" is guessed whole, without its dot, and by its parts.
function wordsOfName(name: string): string[] {
  const text = name.normalize('NFKC').toLowerCase()
  return [text, text.replace(/[^\p{L}\p{N}]/gu, ''), ...text.split(/[^\p{L}\p{N}]+/u)].filter(
    (part) => part.length >= 3,
  )
}

// What stands for what: 1 is an i to some and an l to others.
const LEET: Table = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
}

type Table = Readonly<Record<string, string>>
const tableOf = (from: string, to: string): Table => Object.fromEntries([...from].map((sign, i) => [sign, to[i]!]))

// The digits of a keyboard, as they come out with the shift key held down.
const SHIFTED = tableOf('!@#$%^&*()', '1234567890')
// A Russian word, typed while the keyboard was set to Latin letters.
const CYRILLIC = tableOf("qwertyuiop[]asdfghjkl;'zxcvbnm,.", 'йцукенгшщзхъфывапролджэячсмитьбю')

function translate(text: string, table: Table): string {
  return [...text].map((sign) => table[sign] ?? sign).join('')
}

const reverse = (text: string) => [...text].reverse().join('')

function readings(text: string): string[] {
  return [text, translate(text, LEET), translate(text, { ...LEET, '1': 'l', '!': 'l' })]
}

/** A word, the same word twice or a row of keys, between digits and signs that are no second word. */
function isWordWithTrimmings(text: string, isWord: (word: string) => boolean): boolean {
  // Long trimmings are a secret of their own.
  const match = /^([^\p{L}]{0,6})(.*?)([^\p{L}]{0,6})$/u.exec(text)
  const [before, core, after] = [match?.[1] ?? '', match?.[2] ?? '', match?.[3] ?? '']
  if (core.length >= SHORTEST_ROW && isRowOfKeys(core)) return true
  const cores = core.length < 3 || before.length + after.length > 8 ? [text] : [core, text]
  return cores.flatMap(readings).some((read) => [read, reverse(read)].some((way) => isWordInDisguise(way, isWord)))
}

function isWordInDisguise(core: string, isWord: (word: string) => boolean): boolean {
  const bare = core.replace(/[\s._-]/g, '')
  const half = bare.slice(0, bare.length / 2)
  const words = [core, bare, bare.replace(/(.)(?<!\1\1)\1+$/, '$1'), bare.replace(/s$/, '')]
  // The words "my" and "the" before a word, and one letter or "abc" after it, are known to everybody.
  const stripped =
    /^(?:my|the|i|mr|mrs|big|little)?(.*?)(?:[a-z]|abc|xyz|xxx|you|me|man|boy|girl)?$/.exec(bare)?.[1] ?? ''
  const twice = half !== '' && half + half === bare
  return words.some(isWord) || isWord(stripped) || (twice && isWordInDisguise(half, isWord))
}

/** Something of at most four signs, or half of it, over and over. */
function isRepeated(text: string): boolean {
  for (let length = 1; length <= Math.max(4, text.length / 2); length++) {
    const unit = text.slice(0, length)
    if (length < text.length && length <= 4 && unit.repeat(Math.ceil(text.length / length)).startsWith(text))
      return true
  }
  return new Set(text).size <= 2
}

const ROWS = [
  ...['01234567890', 'abcdefghijklmnopqrstuvwxyz', '!@#$%^&*()', '!"§$%&/()='],
  ...['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm', 'azertyuiop', 'qsdfghjklm', 'wxcvbn'],
  ...['йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю'],
  // Down the keyboard, up and down it, and two or more rows side by side.
  ...['1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p', 'qazwsxedcrfvtgbyhnujmikolp', 'zaq1xsw2cde3vfr4', 'zaq12wsx', '12qwaszx'],
  ...['1q2w3e4r5t6y7u8i9o0p', 'q1w2e3r4t5y6u7i8o9p0', 'a1s2d3f4g5h6j7k8l9', '1a2s3d4f5g6h7j8k9l', 'zxasqw12'],
  ...['z1x2c3v4b5n6m7', '1z2x3c4v5b6n7m', '12qw34er56ty', '1qw23er45ty6', 'qawsedrftgyhujikolp', 'azsxdcfvgbhnjmk'],
  ...['a1b2c3d4e5f6g7h8', '1a2b3c4d5e6f7g8h'],
  // On the keys of a telephone and of a till, and numbers that are counted in another way.
  ...['adgjmptw', '147258369', '147852369', '159357', '74108520', '25800852', '14789632147', '12369874123'],
  ...['123698745', '134679852'],
  ...['13579', '24680', '246810', '112233445566778899', '1029384756', '0192837465', '13243546', '22446688'],
  ...['102030405060708090', '010203040506070809', '12131415161718'],
]
const WAYS = [...ROWS, ...ROWS.map(reverse)]
const SHORTEST_RUN = 3
const SHORTEST_ROW = 6

/** A row of keys, with the shift key held down or not, and with one or two signs before it or not. */
function isRowOfKeys(text: string): boolean {
  return [text, translate(text, SHIFTED)].some((keys) => [0, 1, 2].some((before) => isRuns(keys.slice(before))))
}

/** Nothing but runs along the keys, the alphabet or the numbers, and signs over and over. */
function isRuns(text: string): boolean {
  let rest = text
  while (rest !== '') {
    const run = Math.max(longestRun(rest), /^(.)\1*/su.exec(rest)![0].length)
    // What is left over at the end may be one sign or two.
    if (run < SHORTEST_RUN) return rest.length <= 2 && rest !== text
    rest = rest.slice(run)
  }
  return true
}

function longestRun(text: string): number {
  let length = 0
  while (length < text.length && WAYS.some((way) => way.includes(text.slice(0, length + 1)))) length++
  return length
}

/** A day of a life: 24121985, 1985-12-24, 12/24/85 and the like. */
function isDate(text: string): boolean {
  const digits = text.replace(/[\s./-]/g, '')
  if (!/^\d{6}(\d\d)?$/.test(digits)) return false
  const part = (from: number) => Number(digits.slice(from, from + 2))
  const isDay = (a: number, b: number) => a >= 1 && b >= 1 && Math.min(a, b) <= 12 && Math.max(a, b) <= 31
  const isYear = (from: number) => digits.length === 6 || /^(19|20)/.test(digits.slice(from, from + 4))
  return (
    (isYear(digits.length - 4) && isDay(part(0), part(2))) ||
    (isYear(0) && isDay(part(digits.length - 4), part(digits.length - 2)))
  )
}
