// What Redis runs in one step.

/** A script and how many of its arguments are keys: one file each in scripts/. */
export interface Script {
  readonly numberOfKeys: number | 'some'
  readonly lua: string
}
