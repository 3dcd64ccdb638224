export type {
  Chunk,
  DiskUsage,
  Headers,
  Isolation,
  JournalWriter,
  Log,
  LogHealth,
  LogRecord,
  Membership,
  Reader,
  StoredRecord,
  TopicPartition,
  TopicRange,
  TopicSpec
} from './log.ts'
export { ByteShare } from './byte-share.ts'
export { placeName } from './log.ts'
export { recordBytes } from './record-bytes.ts'
