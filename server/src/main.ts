#!/usr/bin/env node
// Only what any Node understands, until it is known to be new enough.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`Sallyport needs Node 24.15 or newer: this is ${process.version}.\n`)
  process.exit(1)
}
// What is made from here on, sockets included, is its owner's alone.
process.umask(0o077)
const { runProgram } = await import('./cli/program.ts')
process.exitCode = await runProgram(process.argv.slice(2))
