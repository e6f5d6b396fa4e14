// The version of jobs and of what an api and its workers say to each other. During an upgrade two versions of Tabir run beside each other. A process
// ignores fields that it does not know. What an older process would misread raises the version, and so does a field that a newer one cannot do without:
// a process leaves a message of another version to others.

export const MESSAGE_VERSION = 1

/** A message is for processes of another version. */
export class UnknownVersion extends Error {
  constructor() {
    super('a message of a version that this process does not know')
  }
}

/** The version of a job is in its name: workers that are older than the version read no names, and refuse data that they do not know. */
export function nameOfJob(queue: string): string {
  return `${queue}@${MESSAGE_VERSION}`
}

/** @param written the version in a message; `undefined` in messages of processes that wrote none. */
export function isKnownVersion(written: string | undefined): boolean {
  return written === undefined || written === String(MESSAGE_VERSION)
}
