/** Counts since the log was opened. */
export type KafkaStats = {
  produceRequests: number
  producedBatches: number
  producedRecords: number
  producedBytes: number
  fetchRequests: number
  fetchedRecords: number
  fetchedBytes: number
  rebalances: number
}

export const newStats = (): KafkaStats => ({
  produceRequests: 0,
  producedBatches: 0,
  producedRecords: 0,
  producedBytes: 0,
  fetchRequests: 0,
  fetchedRecords: 0,
  fetchedBytes: 0,
  rebalances: 0
})
