// `sallyport serve` that kills itself with signal 9 when it is told to: at the n-th moment from now on, where a moment
// lies before and after each statement, after a statement was sent to PostgreSQL, and before and after each answer.
import { AsyncLocalStorage } from 'node:async_hooks'
import { IncomingMessage, Server, ServerResponse } from 'node:http'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import pg from 'pg'

let left = Number.POSITIVE_INFINITY
process.on('message', (moments: number) => {
  left = moments
  process.send!('armed')
})
process.on('disconnect', () => process.exit())

// What the server does by itself, each second, has no moments.
const requests = new AsyncLocalStorage<boolean>()

function moment(): void {
  if (requests.getStore() && --left === 0) process.kill(process.pid, 'SIGKILL')
}

// biome-ignore lint/suspicious/noExplicitAny: any method of any class is wrapped alike
function surround(prototype: any, name: string, after?: (self: any, result: unknown) => void): void {
  const method = prototype[name]
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    moment()
    const result = method.apply(this, args)
    if (after) after(this, result)
    else moment()
    return result
  }
}

surround(DatabaseSync.prototype, 'exec')
surround(StatementSync.prototype, 'all')
surround(StatementSync.prototype, 'run')
// When it has left this process.
surround(ServerResponse.prototype, 'end', (response) => response.once('finish', AsyncLocalStorage.bind(moment)))
surround(pg.Client.prototype, 'query', (_, result) => {
  setImmediate(moment)
  if (result instanceof Promise) result.then(moment, moment)
})

for (const [prototype, beginning] of [
  [Server.prototype, 'request'],
  // The body comes from the socket, which belongs to no request.
  [IncomingMessage.prototype, 'end'],
] as const) {
  const emit: (event: string, ...args: unknown[]) => boolean = prototype.emit
  prototype.emit = function (this: unknown, event: string, ...args: unknown[]) {
    const go = () => emit.call(this, event, ...args)
    return event === beginning ? requests.run(true, go) : go()
  }
}

await import('../../server/src/main.ts')
