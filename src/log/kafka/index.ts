export { openKafkaLog } from './kafka-log.ts'
export type { KafkaOptions, KafkaSasl, KafkaTls } from './options.ts'
