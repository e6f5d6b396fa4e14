// Loaded before tap, by test/suite.ts. tap follows each promise of a process, to know which test an uncaught error belongs to. That takes a third of the processor time of a test that is mostly promises, and up to a fifteenth of those that start a
// service. Without it such an error ends the process, which fails as well, with the stack.

import hooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

const { createHook } = hooks
const idle: hooks.AsyncHook = { enable: () => idle, disable: () => idle }

/** No other hook has these two callbacks alone. */
function isOfDomains(callbacks: hooks.HookCallbacks): boolean {
  return Object.keys(callbacks).join() === 'init,destroy'
}

Reflect.set(hooks, 'createHook', (callbacks: hooks.HookCallbacks) => (isOfDomains(callbacks) ? idle : createHook(callbacks)))
syncBuiltinESMExports()
