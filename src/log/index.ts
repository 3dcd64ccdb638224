export type {
  Chunk,
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
  TopicSpec
} from './log.ts'
export { ByteShare, recordBytes } from './byte-share.ts'
export { placeName } from './log.ts'
