// Runs a TypeScript file with a Node that is new enough: the one running now, else the one that npm installed.
// Old syntax on purpose: this file must start on any Node that npm itself runs on.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

const MINIMUM = [24, 15]

function findNode() {
  const running = process.versions.node.split('.').map(Number)
  if (running[0] > MINIMUM[0] || (running[0] === MINIMUM[0] && running[1] >= MINIMUM[1])) return process.execPath
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = 'node-' + platform + '-' + process.arch
  try {
    const folder = path.dirname(createRequire(import.meta.url).resolve(name + '/package.json'))
    return path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  } catch {
    process.stderr.write(
      'Sallyport needs Node ' +
        MINIMUM.join('.') +
        ' or newer: this is ' +
        process.version +
        ', and npm has no package of Node 24 for ' +
        process.platform +
        '-' +
        process.arch +
        '. Install Node 24 and run the command again.\n',
    )
    process.exit(1)
  }
}

const node = findNode()
// Children (test workers, CLI subprocesses) find the same Node first.
const PATH = path.dirname(node) + path.delimiter + (process.env.PATH || '')
const child = spawn(
  node,
  ['--conditions=sallyport-source', '--disable-warning=ExperimentalWarning'].concat(process.argv.slice(2)),
  {
    stdio: 'inherit',
    env: Object.assign({}, process.env, { PATH }),
  },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal) process.exit(128 + (os.constants.signals[signal] || 0))
  process.exit(code === null ? 1 : code)
})
