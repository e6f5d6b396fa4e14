// Loaded before tap, by test/suite.ts. tap tracks each promise of a process, to know to which test an uncaught error belongs. That takes a third of the
// processor time of a test that is mostly promises, and up to a fifteenth of a test that starts a service. Without tracking, such an error ends the
// process, which fails as well, with the stack.

import hooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

const { createHook } = hooks
const idle: hooks.AsyncHook = { enable: () => idle, disable: () => idle }

/** Only the hook of domains has exactly these two callbacks. */
function isOfDomains(callbacks: hooks.HookCallbacks): boolean {
  return Object.keys(callbacks).join() === 'init,destroy'
}

Reflect.set(hooks, 'createHook', (callbacks: hooks.HookCallbacks) => (isOfDomains(callbacks) ? idle : createHook(callbacks)))
syncBuiltinESMExports()
