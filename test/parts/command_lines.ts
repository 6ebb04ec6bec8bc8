import { runProgram } from '../../server/src/cli/program.ts'

// Runs command lines one after another in this process, as its argument lists them, and prints what came of each: a
// process for each would take seconds.
const lines = JSON.parse(process.argv[2]!) as string[][]
const written = { stdout: '', stderr: '' }
const real = process.stdout.write.bind(process.stdout)
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array) => {
    written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    return true
  }
}
const ended: object[] = []
for (const line of lines) {
  Object.assign(written, { stdout: '', stderr: '' })
  const code = await runProgram(line).catch((error: unknown) => `threw ${String(error)}`)
  ended.push({ line: line.join(' '), code, ...written })
}
real(JSON.stringify(ended))
