// Records a finished backup, and drops the oldest records.
export const noteBackup = {
  numberOfKeys: 1,
  lua: `
    local backups = KEYS[1] -- list: backups that were made, the newest first
    local made    = ARGV[1] -- its record as JSON
    local most    = tonumber(ARGV[2]) -- how many records are kept
    redis.call('LPUSH', backups, made)
    redis.call('LTRIM', backups, 0, most - 1)
    return 1`,
} as const
