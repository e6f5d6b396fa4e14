// The files of the log of withdrawals: appends records, writes `status`.

import { join } from 'node:path'
import { makeFolder } from '../../files/make-folder.js'
import { makeOnce, openRecordFile, overwrite, type RecordFile } from '../../files/record-file.js'
import { type LogStatus, logFileName, readLogStatus, STATUS_FILE, statusText } from './withdrawal-records.js'

export type WithdrawalFiles = ReturnType<typeof createWithdrawalFiles>

/**
 * @param folder made on first use; other processes may write to the same files.
 * @param now [epoch ms] names the file of the month.
 */
export function createWithdrawalFiles(folder: string, now: () => number) {
  // Stays open between calls: each asynchronous call takes another round of the event loop, and a withdrawal waits for all of them.
  let opened: RecordFile | undefined
  const statusPath = join(folder, STATUS_FILE)
  const close = async () => {
    const left = opened
    opened = undefined
    await left?.close()
  }
  const openAt = async (path: string, status: LogStatus) => {
    if (opened?.path === path) return opened
    await close()
    await makeFolder(folder)
    await makeOnce(statusPath, statusText(status))
    opened = await openRecordFile(path)
    return opened
  }
  return {
    /**
     * Appends records to the file of this month. On disk when it returns.
     * @param status written first if the folder has no `status` yet.
     * @throws when the disk fails, or the file was moved away twice.
     */
    async append(texts: readonly string[], status: LogStatus) {
      const path = join(folder, logFileName(now()))
      for (let tries = 0; tries < 2; tries++) {
        // The line break before the records ends a line that another write may have left incomplete.
        if (await (await openAt(path, status)).append(`\n${texts.join('\n')}\n`)) return
        await close()
      }
      throw new Error('the file of withdrawals does not stay where it is')
    },
    /** Overwrites `status`, or makes it. @throws when the disk fails. */
    async writeStatus(status: LogStatus) {
      const text = statusText(status)
      await overwrite(statusPath, text).catch(async (error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
        await makeFolder(folder)
        await makeOnce(statusPath, text)
      })
    },
    readStatus: () => readLogStatus(folder),
    close,
  }
}
