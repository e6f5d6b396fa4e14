// Child processes that end before they are ready. They are started again, more and more seldom, and the operator is told why.

import type { ChildProcess } from 'node:child_process'
import { spawnSandboxed } from './sandboxed.js'

/** Delay after one failed start [ms]; doubled after each further one. */
const FIRST_DELAY_MS = 50
const LONGEST_DELAY_MS = 5000
/** One child may be killed while it starts. Two in a row need an operator. */
const WORTH_TELLING = 2

export interface FailedStarts {
  /** Whether the last starts failed. */
  readonly areFailing: boolean
  /** Call when a child is ready. */
  succeeded(): void
  /** Call when a child ended before it was ready. @returns when to start the next [ms]. */
  failed(): number
}

/** @param tell called once until a child is ready again. */
export function countFailedStarts(tell: () => void): FailedStarts {
  let failures = 0
  return {
    get areFailing() {
      return failures >= WORTH_TELLING
    },
    succeeded() {
      failures = 0
    },
    failed() {
      failures++
      if (failures === WORTH_TELLING) tell()
      return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
    },
  }
}

const TRY_TIMEOUT_MS = 10_000
const MAX_OUTPUT = 1 << 14
const MAX_REASON = 300

/**
 * Starts a program once more, without a picture or video, and reads what it writes to standard error: nothing of a stranger can be in it. Children
 * that are given files write to nowhere.
 * @returns how it ended and what it said; `undefined` if it starts now.
 */
export function reasonOfFailedStart(
  command: readonly string[],
  options: Omit<Parameters<typeof spawnSandboxed>[1], 'stdio'>,
): Promise<string | undefined> {
  return tried(command, options, (child, end) => {
    child.stdio[3]?.once('data', () => end(true)) // it greets
  })
}

/** @returns how ffmpeg failed to describe one of its decoders; `undefined` if it did. */
export function faultOfDecoder(
  ffmpeg: string,
  decoder: string,
  options: Omit<Parameters<typeof spawnSandboxed>[1], 'stdio'>,
): Promise<string | undefined> {
  return tried([ffmpeg, '-hide_banner', '-h', `decoder=${decoder}`], options, (child, end) => {
    child.stdout?.on('data', (chunk) => /^Decoder /m.test(String(chunk)) && end(true))
  })
}

/** @returns how a program ended and what it said last, unless `look` ends it as well. */
function tried(
  command: readonly string[],
  options: Omit<Parameters<typeof spawnSandboxed>[1], 'stdio'>,
  look: (child: ChildProcess, end: (isWell: true) => void) => void,
): Promise<string | undefined> {
  const child = spawnSandboxed(command, { ...options, stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      if (said.length < MAX_OUTPUT) said += String(chunk)
    })
  }
  for (const stream of child.stdio) stream?.on('error', () => {})
  return new Promise((resolve) => {
    let isWell = false
    const timer = setTimeout(() => child.kill('SIGKILL'), TRY_TIMEOUT_MS)
    look(child, () => {
      isWell = true
      child.kill('SIGKILL')
    })
    child.once('error', ({ message }) => resolve(message))
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer)
      const reason = [signal ?? `status ${exitCode}`, tellingLine(said)].filter((part) => part !== '').join(': ')
      resolve(isWell ? undefined : reason)
    })
  })
}

/** @returns the line that names the error, or else the last one. */
function tellingLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return (lines.find((line) => /error|memory/i.test(line)) ?? lines.at(-1) ?? '').slice(0, MAX_REASON)
}
