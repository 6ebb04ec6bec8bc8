// `sallyport serve` that kills itself with signal 9 when it is told to: at the n-th moment from now on, where a moment
// lies before and after each statement, after a statement was sent to PostgreSQL, and before and after each answer.
import { ServerResponse } from 'node:http'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import pg from 'pg'

let left = Number.POSITIVE_INFINITY
process.on('message', (moments: number) => {
  left = moments
  process.send!('armed')
})
process.on('disconnect', () => process.exit())

function moment(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL')
}

// biome-ignore lint/suspicious/noExplicitAny: any method of any class is wrapped alike
function surround(prototype: any, name: string, after?: (result: unknown) => void): void {
  const method = prototype[name]
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    moment()
    const result = method.apply(this, args)
    if (after) after(result)
    else moment()
    return result
  }
}

surround(DatabaseSync.prototype, 'exec')
surround(StatementSync.prototype, 'all')
surround(StatementSync.prototype, 'run')
surround(ServerResponse.prototype, 'end')
surround(pg.Client.prototype, 'query', (result) => {
  setImmediate(moment)
  if (result instanceof Promise) result.then(moment, moment)
})

await import('../../server/src/main.ts')
